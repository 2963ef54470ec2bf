"""The estimates that commands show, as docs/existing-buckets.md and docs/reindexing.md have them."""

from infra.operate.costs import amount, cleaning, estimate, indexing, reindexing


def lines(text: str) -> dict[str, str]:
    return dict(line.strip().rsplit(None, 1) for line in text.splitlines()[1:])


def test_indexing_a_million() -> None:
    assert lines(estimate(1_000_000, indexing(1769))) == {
        "DynamoDB table": "$13.38",
        "DynamoDB vectors": "$4.30",
        "S3": "$7.81",
        "Lambda": "$4.81",
        "SQS and events": "$1.40",
        "together": "$31.69",
    }


def test_reindexing_a_million() -> None:
    assert lines(estimate(1_000_000, reindexing(1769)))["together"] == "$23.91"
    assert lines(estimate(1_000_000, cleaning()))["together"] == "$23.60"


def test_little_is_said_as_little() -> None:
    assert estimate(1, cleaning()).endswith(": less than a cent")
    assert amount(0.004) == "< $0.01"
