"""Neural cellular automata: models, training, evaluation and live figures of the book."""

import torch

# Denormal numbers appear in every trained automaton (hidden values fade out) and slow a CPU's
# arithmetic by 5–10×. Worker threads copy the setting when they start, so it has to come
# before the first parallel operation.
torch.set_flush_denormal(True)
