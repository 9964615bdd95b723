"""``ncabook sweep``: a table's experiments with several seeds."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ncabook.cli.options import path
from ncabook.experiments import sweep as sweeps


class Cluster(Enum):
    """:data:`~ncabook.experiments.sweep.Cluster` as typer takes choices."""

    local = "local"
    slurm = "slurm"


def sweep(
    table: Annotated[str, typer.Argument(help="A table's name, or a path to a YAML file.")],
    seeds: Annotated[
        int,
        typer.Option(min=1, max=sweeps.MOST_SEEDS, help="Trainings per experiment: 0, 1, …"),
    ] = 5,
    cluster: Annotated[
        Cluster, typer.Option(help="local: this machine; slurm: a cluster's queue.")
    ] = Cluster.local,
    parallel: Annotated[
        int | None, typer.Option(min=1, help="Jobs at a time; 1 here, all on a cluster.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.02, help="Limit of a job.")] = 24,
    partition: Annotated[str | None, typer.Option(help="SLURM's partition.")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu or cuda; the GPU if there is one here.")
    ] = None,
    output: Annotated[
        Path,
        typer.Option(parser=path, metavar="PATH", help="Where TABLE/EXPERIMENT/seed-N are made."),
    ] = Path("runs"),
) -> None:
    """Train a table: every experiment, with several seeds.

    Results that are there are kept, and what was begun goes on from its checkpoint: the same
    command again completes a sweep that was stopped.

    Examples:
      ncabook sweep table1 --seeds 5

      ncabook sweep table1 --cluster slurm --device cuda --partition gpu

    """
    runs = sweeps.plan(table, seeds, output)
    folder = runs[0].folder.parents[1] / "jobs"
    try:
        sweeps.sweep(
            runs,
            folder,
            cluster.value,
            parallel,
            hours,
            partition,
            device,
            lambda run: typer.echo(_line(run)),
        )
    except KeyboardInterrupt:
        where = "here were stopped" if cluster is Cluster.local else "in the queue go on"
        typer.echo(f"\nstopped; jobs {where}; the same command again goes on", err=True)
        raise typer.Exit(130) from None
    typer.echo("\n".join([f"{'experiment':28}{'seed':>6}  {'state':8}{'loss':>10}"]))
    for run in runs:
        typer.echo(_line(run))
    if any(run.state == "failed" for run in runs):
        raise typer.Exit(1)


def _line(run: sweeps.Run) -> str:
    loss = "" if run.loss is None else f"{run.loss:.5f}"
    return f"{run.experiment:28}{run.seed:>6}  {run.state:8}{loss:>10}  {run.error}".rstrip()
