"""Whose code may be replaced by code that computes the same: modules that are as they were made.

Faster steps, the page's engine and the textbook step read a module's numbers and do its
mathematics their own way. That is right for the classes of this package and of PyTorch, and wrong
for a class that somebody derived from them, or for one with hooks, a parametrisation or a method
of its own: only their own code knows what they do.
"""

from torch import nn
from torch.nn.modules import module as pytorch
from torch.nn.utils.parametrize import is_parametrized

HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)
OURS = ("ncabook.automaton.", "ncabook.networks.", "torch.nn.modules.")


def changed(module: nn.Module) -> str | None:
    """What makes ``module`` another than its numbers tell; None if nothing does.

    Looks at all modules within: their classes are of this package or PyTorch's, and nothing is
    hung on them.
    """
    if pytorch._has_any_global_hook():
        return "a global hook of torch.nn"
    for name, part in module.named_modules():
        kind = type(part).__name__
        where = f"{name}, a {kind}" if name else kind
        if is_parametrized(part):
            return f"{where} with a parametrisation"
        if not type(part).__module__.startswith(OURS):
            return f"{where}, a class of {type(part).__module__}"
        if any(getattr(part, hooks) for hooks in HOOKS):
            return f"{where} with a hook"
        own = [key for key in vars(part) if callable(getattr(type(part), key, None))]
        if own:
            return f"{where} with a {own[0]} of its own"
    return None


def check_unchanged(module: nn.Module, by: str) -> None:
    """Refuses a module that only its own code can run.

    Args:
        module: what is to be computed.
        by: what would compute it in its stead, such as "the live engine".

    Raises:
        TypeError: says which part it is, and why.

    """
    reason = changed(module)
    if reason is not None:
        raise TypeError(
            f"{by} does not know {reason}; expected parts as ncabook makes them, not derived or "
            "changed ones: it would run their parents' mathematics"
        )
