"""`search` and `compare`."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import click
from rich.table import Table

from pictrace.answers import Comparison, Drawing, Effort, SearchAnswer, Verdict
from pictrace.cli.common import (
    EXIT_CODES,
    cell,
    client,
    collection_option,
    console,
    image_argument,
    json_option,
    note_if_empty,
    plain_table,
    print_json,
    printable,
    size_cell,
    url_option,
)
from pictrace.cli.thumbnails import thumbnail_renderer
from pictrace.client import Client
from pictrace.errors import PicTraceError


@click.command(epilog=EXIT_CODES)
@click.argument("image", callback=image_argument)
@collection_option
@click.option("-k", type=click.IntRange(min=1), help="Maximum number of matches.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Omit matches with a lower score.")
@click.option("--min-verdict", type=click.Choice(get_args(Verdict)), help="Omit matches that are less near.")
@click.option("--label", help="Only images with this label, such as `cat`.")
@click.option("--effort", type=click.Choice(get_args(Effort)), help="How thoroughly to search.")
@url_option
@json_option
def search(image: str, url: str | None, as_json: bool, **parameters: Any) -> None:
    """Search for images like IMAGE: a file, an image id, an upload id, or a URL."""
    with client(url) as api:
        answer = api.search(image, **parameters)
        if as_json:
            print_json(answer)
            return
        if answer["matches"]:
            console().print(_table(api, answer))
        else:
            click.echo("No matches.")
            note_if_empty(api, parameters["collection"])
    if answer["notice"]:
        click.echo(printable(answer["notice"]), err=True)


def _table(api: Client, answer: SearchAnswer) -> Table:
    draw = thumbnail_renderer()
    table = plain_table()
    for name in (*([""] if draw else []), "score", "verdict", "file", "size", "label", "image id"):
        table.add_column(name, no_wrap=name != "file", justify="right" if name == "score" else "left")
    for match in answer["matches"]:
        image = match["image"]
        row: list[Any] = [
            cell(f"{match['score']:.3f}"),
            cell(match["verdict"]),
            cell(image["filename"]),
            size_cell(image),
            cell(image["label"]),
            cell(image["image_id"][:12]),
        ]
        if draw:
            row.insert(0, cell(""))
            with suppress(PicTraceError):
                row[0] = draw(api.read_link(image["thumbnail_url"]))
        table.add_row(*row)
    return table


@click.command(epilog=EXIT_CODES)
@click.argument("a", callback=image_argument)
@click.argument("b", callback=image_argument)
@click.option("--open", "opened", is_flag=True, help="Open a picture of the comparison.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture, a PNG.")
@click.option(
    "--picture", type=click.Choice(get_args(Drawing)), default="difference", show_default=True, help="What it shows."
)
@url_option
@json_option
def compare(
    a: str, b: str, opened: bool, output: Path | None, picture: Drawing, url: str | None, as_json: bool
) -> None:
    """Compare two images: files or image ids, or image ids or URLs."""
    with client(url) as api:
        scores = api.compare(a, b)
        if opened and not output:
            output = Path(tempfile.mkdtemp(prefix="pictrace-")) / f"{picture}.png"
        if output:
            output.write_bytes(api.draw_comparison(a, b, picture=picture))
    if as_json:
        print_json(scores)
    else:
        _print_scores(scores)
    if opened:
        click.launch(str(output))


def _print_scores(scores: Comparison) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows: dict[str, object] = {
        "verdict": scores["verdict"] + (f" ({scores['reason']})" if scores["reason"] else ""),
        "score": f"{scores['score']:.3f}",
        "cosine": None if scores["cosine"] is None else f"{scores['cosine']:.3f}",
        "SSIM": f"{scores['ssim']:.3f}",
        "SSIM aligned": None if scores["ssim_aligned"] is None else f"{scores['ssim_aligned']:.3f}",
        "ORB": f"{scores['orb']['inliers']} of {scores['orb']['matches']} matches fit one transform",
        "histogram": f"{scores['histogram']:.3f}",
        "mirrored": "yes" if scores["mirrored"] else None,
        "differences": len(scores["differences"]) or None,
        "overlays": len(scores["overlays"]) or None,
    }
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, cell(value))
    console().print(table)
