"""Perceptual hashes are exchanged with programs that have no images."""

import csv
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pdqhash
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from pictrace import Client
from pictrace.cli import main
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels


@pytest.fixture(scope="module")
def stored(running: PicTrace) -> str:
    """A collection with the cat and a cup of coffee."""
    with Client(running.url) as client:
        for name in ("chelsea.png", "coffee.png"):
            client.add(encoded(pixels(name), ".png"), filename=name, collection="hashes")
    return "hashes"


def run(running: PicTrace, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments), "--url", running.url])
    assert result.exit_code == 0, result.output
    return result


def test_hashes_of_imagehash_find_their_images(running: PicTrace, stored: str, tmp_path: Path) -> None:
    """Of a smaller copy: the program that made the list never had our image."""
    copy = cv2.resize(pixels("chelsea.png"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    value = imagehash.phash(Image.fromarray(copy))
    (tmp_path / "list.csv").write_text(f"filename,hash\ncopy.jpg,{value}\nother.jpg,{'5' * 16}\n")
    lines = run(running, "match-hashes", tmp_path / "list.csv", "--collection", stored).stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["chelsea.png"]


def test_exported_hashes_are_imported_again(running: PicTrace, stored: str, tmp_path: Path) -> None:
    exported = run(running, "hashes", "--collection", stored).stdout
    rows = list(csv.DictReader(exported.splitlines()))
    assert sorted(row["filename"] for row in rows) == ["chelsea.png", "coffee.png"]
    (tmp_path / "ours.csv").write_text(exported)
    matched = run(running, "match-hashes", tmp_path / "ours.csv", "--collection", stored, "--distance", "0").stdout
    assert len(matched.splitlines()) == 3


@pytest.mark.parametrize("name", ['=HYPERLINK("x","y").png', "+1.png", "-1.png", "@2x.png"])
def test_no_file_name_is_a_formula(running: PicTrace, collection: str, name: str) -> None:
    with Client(running.url) as client:
        client.add(noise(7_200), filename=name, collection=collection)
    (row,) = csv.DictReader(run(running, "hashes", "--collection", collection).stdout.splitlines())
    assert row["filename"] == f"./{name}"


def pdq_of(name: str) -> tuple[str, str]:
    bits, quality = pdqhash.compute(pixels(name))
    return np.packbits(bits).tobytes().hex(), str(quality)


def test_pdq_is_that_of_pdqhash(running: PicTrace, stored: str, tmp_path: Path) -> None:
    """Also of an image of which the server has none, which is downloaded for that."""
    with Client(running.url) as client:
        coffee = next(client.images(collection=stored, filename="coffee"))["image_id"]
        running.forget_pdq(coffee, stored)
        assert [image["pdq"] is None for image in client.images(collection=stored, order="oldest")] == [False, True]
    exported = run(running, "hashes", "--kind", "pdq", "--collection", stored).stdout
    rows = {row["filename"]: (row["hash"], row["quality"]) for row in csv.DictReader(exported.splitlines())}
    assert rows == {name: pdq_of(name) for name in ("chelsea.png", "coffee.png")}
    value, quality = rows["chelsea.png"]
    near = f"{int(rows['coffee.png'][0], 16) ^ 0b111:064x}"
    (tmp_path / "pdq.txt").write_text(f"{value},{quality},{tmp_path}/a.jpg\n{near},100,b.jpg\n{'5' * 64}\n")
    matched = run(running, "match-hashes", tmp_path / "pdq.txt", "--collection", stored).stdout.splitlines()
    assert [line.split()[::2] for line in matched[1:]] == [["0", "chelsea.png"], ["3", "coffee.png"]]


def test_lists_of_any_length_are_matched(running: PicTrace, stored: str, tmp_path: Path) -> None:
    with Client(running.url) as client:
        known = {image["phash"]: image["filename"] for image in client.images(collection=stored)}
        pages = client.hash_matches(phash=list(known), collection=stored, limit=1, distance=0)
        assert {match["hash"]: match["image"]["filename"] for match in pages} == known
    others = [f"{number:016x}" for number in range(250)]
    (tmp_path / "list.txt").write_text("\n".join([*others, *known]))
    matched = run(running, "match-hashes", tmp_path / "list.txt", "--collection", stored, "--distance", "0").stdout
    assert {line.split()[2] for line in matched.splitlines()[1:]} == set(known.values())


def test_a_file_without_hashes_is_named(running: PicTrace, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("no hash\n")
    refused = CliRunner().invoke(main, ["match-hashes", str(tmp_path / "none.txt"), "--url", running.url])
    assert (refused.exit_code, "none.txt has no hash" in refused.output) == (2, True)
