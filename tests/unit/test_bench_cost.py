"""The cost model, and its page."""

import json
from dataclasses import replace

import pytest

from bench import scale
from bench.cost import faces
from bench.cost.__main__ import CONTEXT, FIGURES, PAGE, main
from bench.cost.bill import (
    idle,
    indexing,
    ingesting,
    keeping,
    on_a_server,
    searching,
    uploading,
    viewing,
    with_a_service,
)
from bench.cost.page import page
from bench.cost.use import MILLION, Use
from bench.speed.requests import item_bytes, write_units
from infra import prices

FOUND = json.loads(FIGURES.read_text(encoding="utf-8"))
SETTINGS = json.loads(CONTEXT.read_text(encoding="utf-8"))["context"]
USE = Use.measured(FOUND["figures"], SETTINGS, "fast", 20)


def test_the_page_matches_the_latest_figures_and_prices() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(FOUND["figures"], SETTINGS, FOUND["taken"])


def test_a_component_costs_its_count_times_its_price() -> None:
    lines = ingesting(USE, MILLION)
    assert lines["S3: the upload"] == pytest.approx(5)
    assert lines["S3: signature and thumbnail"] == pytest.approx(5 * USE.image_puts)
    computing = USE.image_seconds * SETTINGS["ingest_memory_mb"] / 1024 * 13.3334 + 0.2 / 10
    assert lines["Lambda: computing"] == pytest.approx(computing)
    assert searching(USE, MILLION)["S3: signatures"] == pytest.approx(20 * 0.4)
    assert all(dollars > 0 for part in (lines, keeping(USE, MILLION), idle()) for dollars in part.values())


def test_the_upload_is_counted_separately_and_in_the_total() -> None:
    before, after = uploading(USE, MILLION), indexing(USE, MILLION)
    assert ingesting(USE, MILLION) == before | after
    assert not before.keys() & after.keys()
    assert before["S3: the upload"] == pytest.approx(5)


def test_the_estimates_of_commands_use_the_measured_counts() -> None:
    assert USE.image_write_units == prices.WRITES_PER_IMAGE
    assert -(-USE.image_item_bytes // 1024) == prices.WRITES_PER_VECTOR
    assert pytest.approx(USE.image_vector_bytes, rel=0.05) == prices.VECTOR_BYTES_PER_IMAGE
    assert USE.image_reads + 4 == prices.READS_PER_IMAGE
    assert pytest.approx(USE.image_gets, abs=1) == prices.GETS_PER_IMAGE
    assert USE.image_puts == prices.PUTS_PER_IMAGE


def test_smaller_vectors_cost_less() -> None:
    half = replace(USE, image_vector_bytes=USE.image_vector_bytes / 2)
    saved = indexing(USE, MILLION)["DynamoDB: vectors"] - indexing(half, MILLION)["DynamoDB: vectors"]
    assert saved == pytest.approx(MILLION * USE.image_vector_bytes / 2 / 2**30 * prices.VECTOR_WRITE_GB)


def test_only_fixed_costs_remain_without_use() -> None:
    assert sum(ingesting(USE, 0).values()) == sum(searching(USE, 0).values()) == sum(keeping(USE, 0).values()) == 0
    assert sum(on_a_server(USE, 0, 0).values()) > 2 * 730 * prices.SERVER_HOUR
    assert with_a_service(USE, 0, 0)["the service"] == prices.SERVICE_MINIMUM_MONTH


def test_more_candidates_cost_more() -> None:
    more = replace(USE, search_gets=50)
    assert sum(searching(more, MILLION).values()) > sum(searching(USE, MILLION).values())


def test_thumbnail_links_in_the_listing_reduce_the_cost_of_a_view() -> None:
    """Both variants pay for the GETs and the transfer of the thumbnails themselves."""
    before, now = viewing(USE, MILLION, linked=False), viewing(USE, MILLION)
    assert before["API Gateway"] == pytest.approx(26)
    assert now["API Gateway"] == pytest.approx(2)
    assert before["transfer of thumbnails"] == now["transfer of thumbnails"]
    assert now["S3: thumbnails"] == pytest.approx(24 * 0.4)
    same = now["S3: thumbnails"] + now["transfer of thumbnails"]
    assert sum(now.values()) - same < (sum(before.values()) - same) / 8
    assert sum(viewing(USE, 0).values()) == 0


def test_the_command_prints_a_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pictures", "1000", "--searches", "10"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1,000 images taken in and kept, 10 searches")
    assert "with a managed vector service" in printed


def test_write_units_are_counted_as_dynamodb_does() -> None:
    item = {"pk": {"S": "a" * 900}, "n": {"N": "-0.0125"}, "l": {"L": [{"N": "1"}, {"BOOL": True}]}}
    assert item_bytes(item) == 2 + 900 + 1 + (2 + 1 + 1) + 1 + 3 + (1 + 2) + (1 + 1)
    assert write_units("PutItem", json.dumps({"Item": item})) == 1
    assert write_units("PutItem", json.dumps({"Item": item | {"created_at": {"S": "2026"}}})) == 2
    assert write_units("PutItem", json.dumps({"Item": item | {"pixels_hash": {"S": "ab"}}})) == 2
    twice = {"TransactItems": [{"Put": {"Item": item}}, {"Delete": {"Key": {}}}]}
    assert write_units("TransactWriteItems", json.dumps(twice)) == 4
    assert write_units("GetItem", "{}") == 0


def test_the_queue_grows_when_arrivals_exceed_throughput() -> None:
    few = scale.simulate(USE, 1, 8, 1, scale.NEW_TABLE_UNITS)
    assert (few.limit, few.waiting) == ("nothing", 0)
    held = scale.simulate(USE, 100, 8, 1, scale.NEW_TABLE_UNITS)
    assert held.limit == "max_concurrency"
    assert held.done == pytest.approx(8 / USE.image_seconds)
    assert held.waiting == pytest.approx(3600 * (100 - held.done), rel=0.01)
    one = scale.simulate(replace(USE, image_seconds=0.1), 5000, 1000, 1, scale.TABLE_QUOTA)
    assert (one.limit, one.done) == ("one collection's listing", 1000)
    many = scale.simulate(replace(USE, image_seconds=0.1), 5000, 1000, 50, scale.TABLE_QUOTA)
    assert many.limit == "the table's write units"
    assert many.done == pytest.approx(40_000 / USE.image_write_units)


def test_the_page_shows_the_current_simulation() -> None:
    shown = scale.PAGE.read_text(encoding="utf-8")
    assert shown == scale.written(shown, scale.current(FIGURES))


def test_faces_cost_by_how_many_there_are() -> None:
    none, one, ten = (sum(faces.looking(USE, 1, count).values()) for count in (0, 1, 10))
    assert 0 < none < one < ten < 10 * one
    assert faces.looking(USE, 1, 0)["DynamoDB: vectors"] == 0
    assert faces.write_units(0) == 0
    assert faces.write_units(10) > 5 * faces.write_units(1)
