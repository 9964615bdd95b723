"""``ncabook evaluate``: a trained model, measured by its task's protocol."""

from typing import Annotated

import typer

from ncabook import zoo
from ncabook.evaluation.growth import GrowthProtocol
from ncabook.experiments import runner
from ncabook.tasks import Look, task_of


def evaluate(
    name: Annotated[str, typer.Argument(help="A trained model's name, or its folder.")],
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Rollouts per class; 20 is the protocol.")
    ] = GrowthProtocol.seeds,
    lpips: Annotated[bool, typer.Option(help="Also measure LPIPS.")] = True,
    further: Annotated[
        bool, typer.Option(help="Also measure what Table 1 leaves out: 5,000 steps, other grids, …")
    ] = True,
    save: Annotated[bool, typer.Option("--save", help="Write the result into card.json.")] = False,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda for what classifies or draws textures.")
    ] = "cpu",
) -> None:
    """Measure a trained model by the protocol of its task.

    Examples:
      ncabook evaluate emoji-conv3

      ncabook evaluate runs/emoji-conv3 --save

      ncabook evaluate emoji-conv3 --seeds 2 --no-lpips --no-further    a quick look

    """
    usual = GrowthProtocol.seeds
    look = Look(None if seeds == usual else seeds, lpips, further)
    if save and not look.whole:
        raise ValueError(
            f"--save keeps whole evaluations only: --seeds {usual}, with LPIPS and further"
        )
    try:
        result = runner.evaluate_model(name, look, save, device)
    except KeyboardInterrupt:
        typer.echo("\nstopped; nothing was saved", err=True)
        raise typer.Exit(130) from None
    task = task_of(zoo.read_card(zoo.find(name)).experiment)
    typer.echo(task.report(result).text())
