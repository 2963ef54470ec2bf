"""docs/measurements/cost.md."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.cost import faces
from bench.cost.bill import (
    Lines,
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
from bench.cost.use import (
    BATCH,
    DETAILED_SECONDS,
    EVENTUAL,
    EXAMINED_BYTES,
    GB,
    MILLION,
    ORIGINAL_BYTES,
    RERANKED,
    S3_SECONDS,
    SIGNATURE_BYTES,
    STATE_SECONDS,
    TABLE_SECONDS,
    VECTOR_SECONDS,
    Use,
)
from infra import prices
from shared.aws.dynamodb.catalogue import COUNT_PAGES
from shared.domain.limits import DEFAULT_PAGE, MIB

SEARCHES: Final = {"fast": "`effort=fast`", "found": "a copy is found", "nothing": "none is found"}


def page(figures: Mapping[str, float], context: Mapping[str, int], taken: str) -> str:
    """docs/measurements/cost.md."""
    use = Use.measured(figures, context, "fast", RERANKED)
    before, after = uploading(use, MILLION), indexing(use, MILLION)
    kinds = {kind: Use.measured(figures, context, kind) for kind in ("fast", "found", "nothing")}
    ingest, search = ingesting(use, MILLION), searching(use, MILLION)
    detailed = MILLION * DETAILED_SECONDS * use.api_gb * prices.LAMBDA_GB_SECOND
    return "\n".join(
        [
            "# What it costs",
            "",
            "Made by `python -m bench.cost --write` from the last `make bench` and the prices in",
            f"[infra/prices.py](../../infra/prices.py) ({prices.REGION}, {prices.AS_OF}, on demand, no "
            "free tier, sources beside each). `make cost PICTURES=100000 SEARCHES=20000` prints the bill of a month.",
            "",
            "## A million images, a million searches",
            "",
            *table("a million images, from their events on", after),
            *table("their upload, where it goes through the API", before),
            *table(f"a million searches, {RERANKED} candidates compared", search),
            *table("a month of storage of a million images", keeping(use, MILLION)),
            *table("a month without images and calls", idle()),
            *_floors(before, after, search),
            *_limits(use, before, after),
            "A million searches as they are, by what they compare:",
            "",
            "| search | candidates compared | searches of an index | seconds of the function | $ |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {SEARCHES[kind]} | {each.search_gets:.0f} | {each.search_searches:.0f} | "
                f"{each.search_seconds:.2f} | {sum(searching(each, MILLION).values()):,.2f} |"
                for kind, each in kinds.items()
            ),
            "",
            "## A view of the page",
            "",
            *_view(use, figures),
            "",
            "## Faces",
            "",
            *_faces(use, after),
            "",
            "## The biggest items",
            "",
            *_biggest(use, figures, ingest, searching(kinds["found"], MILLION)),
            "",
            "## Beside two other ways",
            "",
            *_beside(kinds["found"]),
            "",
            "All images of the month are kept, and searches find a copy. *Servers*: this program on m7g.xlarge",
            "(4 cores, 16 GB), two at least, all vectors in memory on each, half busy at most, with a load balancer;",
            "nobody's hours are counted. *Managed service*: this program with its vectors in Pinecone's serverless",
            "index (Standard, $50 a month at least); a query there costs a read unit for each GB of the namespace, so",
            "it grows with the collection.",
            "",
            "## What is measured and what is assumed",
            "",
            f"- Measured ({taken.rstrip('.')}): {figures['image_processor_ms']:.0f} ms of a processor an image, "
            f"{use.image_seconds * 1000:.0f} ms of the function in a batch of {BATCH}, reranking "
            f"{figures['rerank_50_ms']:.0f} ms for 50; one core here is taken for one of Lambda's. **If Lambda's takes "
            f"twice as long**, a million images are ${_computing(use, figures):,.2f} more.",
            f"- Counted at botocore: {use.image_write_units:.0f} write units, {use.image_reads:.0f} read units, "
            f"{use.image_gets:.2g} GETs and {use.image_puts:.0f} PUTs a new image; the calls and units of a "
            "view of the page, with the key in memory.",
            f"- Assumed: {S3_SECONDS * 1000:.0f} ms for a call of S3, {TABLE_SECONDS * 1000:.0f} ms of DynamoDB, "
            f"{VECTOR_SECONDS * 1000:.0f} ms of SearchVectors; batches of {BATCH}, as they come under load: an image "
            f"that comes alone takes {_alone(use, figures):.0f} ms. An image has {ORIGINAL_BYTES // 1000} KB. A call "
            f"that only reads the table takes {STATE_SECONDS * 1000:.0f} ms of the api function.",
            f"- Taken from others: a search examines {EXAMINED_BYTES // 1000} KB of an index, a published measurement "
            "(15,000 vectors of 1,024 dimensions) extrapolated by the logarithm that AWS documents; every answer says "
            "its own as `bytes_examined`. The prices of vectors are as an article of August 2026 quotes them. "
            "Some prices are list prices that were not looked up again: infra/prices.py says which.",
            "- Not counted: cold starts, retries, support, taxes, and images that are shown (S3's transfer), "
            "CloudWatch's custom metrics ($0.30 a month each). Detailed comparisons beside that of a copy depend on "
            f"what is stored: each takes {DETAILED_SECONDS} s of a processor, ${detailed:,.2f} a million of them. A "
            "search makes none where "
            "nothing is promising, and in each of its two passes up to 16 (`thorough`: 32) among documents of one "
            "template; an image that is stored, up to ten.",
            "",
        ]
    )


def _view(use: Use, figures: Mapping[str, float]) -> list[str]:
    before, now = viewing(use, MILLION, linked=False), viewing(use, MILLION)
    rows = [f"| {name} | {before[name]:,.2f} | {now[name]:,.2f} |" for name in now]
    counting = COUNT_PAGES * MIB / EVENTUAL * prices.TABLE_READ * MILLION
    return [
        f"One view of a collection with {DEFAULT_PAGE} thumbnails is {use.view_calls:.0f} calls of the API. It was "
        f"{use.view_calls + DEFAULT_PAGE:.0f} when each thumbnail was a call of its own, with a key's counter and "
        "consistent reads behind it. Listings, searches and groups now carry signed links, which take "
        f"{figures['link_ms']:.2f} ms each and no call of AWS.",
        "",
        "| a million views | a call for each thumbnail, $ | links in the listing, $ |",
        "|---|---:|---:|",
        *rows,
        f"| **together** | **{sum(before.values()):,.2f}** | **{sum(now.values()):,.2f}** |",
        f"| calls of the API a view | {use.view_calls + DEFAULT_PAGE:.0f} | {use.view_calls:.0f} |",
        "",
        "The page itself is one call more a view, and at the first view of a browser six "
        "([one script](../decisions/0026-one-script-for-the-page.md)): the function answers for its files, too.",
        "",
        "Thumbnails that the browser's cache still has take neither a GET nor transfer. `/v1/stats` counts the "
        f"collection at each view: where it has 30,000 images or more that reads {COUNT_PAGES} MB, ${counting:,.2f} "
        "a million views on top of both.",
        "",
        f"For that, ingest stores each image's thumbnail: one PUT more, ${prices.S3_PUT * MILLION:,.2f} a million "
        f"images, and ${keeping(use, MILLION)['S3: thumbnails']:,.2f} a month to keep them. Before, the first view "
        "of an image made it, for the same PUT, a GET of the original and a decode while somebody waited.",
    ]


def _floors(before: Lines, after: Lines, search: Lines) -> list[str]:
    asked = (
        ("a million images, their upload through the API counted", 25.0, sum((before | after).values())),
        ("the same where they lie in a bucket, or are put there by others", 25.0, sum(after.values())),
        ("of it for computing", 2.5, after["Lambda: computing"]),
        (f"a million searches at {RERANKED} compared", 30.0, sum(search.values())),
    )
    rows = [
        f"| {what} | {floor:,.2f} | {found:,.2f} | {'yes' if found < floor else '**no**'} |"
        for what, floor, found in asked
    ]
    return ["| aim | under $ | $ | met |", "|---|---:|---:|---|", *rows, ""]


def _limits(use: Use, before: Lines, after: Lines) -> list[str]:
    return [
        f"What holds the first one up: three PUTs of S3, the image's, its signature's and "
        f"its thumbnail's, are ${before['S3: the upload'] + after['S3: signature and thumbnail']:,.2f}; the API's two "
        "calls "
        f"${before['API: form and state']:,.2f}; {use.image_write_units:.0f} write units "
        f"${use.image_write_units * prices.TABLE_WRITE * MILLION:,.2f}; and vectors "
        f"${after['DynamoDB: vectors']:,.2f}. Not done, and why:",
        "",
        f"- *A batch's signatures in one object*: ${(1 - 1 / BATCH) * prices.S3_PUT * MILLION:,.2f} less. A removal "
        "would have to rewrite what others share, and the images of a batch would have to wait for each other.",
        _in_one_zone(),
        f"- *The ledger without a transaction*: ${2 * prices.TABLE_WRITE * MILLION:,.2f} less. Images get lost then "
        "([why](../decisions/0005-a-ledger-of-objects.md)).",
        f"- *The upload's state read from the ledger*: ${prices.TABLE_WRITE * MILLION:,.2f} less, and two more reads "
        "for each question.",
        "",
    ]


def _in_one_zone() -> str:
    """Return what signatures in a directory bucket would save and cost."""
    gigabytes = SIGNATURE_BYTES / GB
    once = prices.S3_PUT - prices.EXPRESS_PUT - gigabytes * prices.EXPRESS_UPLOAD_GB
    search = RERANKED * (prices.S3_GET - prices.EXPRESS_GET - gigabytes * prices.EXPRESS_RETRIEVAL_GB)
    month = gigabytes * (prices.EXPRESS_GB_MONTH - prices.S3_GB_MONTH)
    return (
        f"- *Signatures in a directory bucket (S3 Express One Zone)*: ${once * MILLION:,.2f} less, and for a million "
        f"searches ${search * MILLION:,.2f}; but ${month * MILLION:,.2f} more for each month that they are kept, in a "
        f"single availability zone. For a million images that pays from {month / search:,.1f} million searches a month "
        "on."
    )


def _biggest(use: Use, figures: Mapping[str, float], ingest: Lines, search: Lines) -> list[str]:
    lines = [("an image", name, dollars / sum(ingest.values())) for name, dollars in ingest.items()]
    lines += [("a search", name, dollars / sum(search.values())) for name, dollars in search.items()]
    done = {
        ("an image", "DynamoDB: records"): f"{use.image_write_units:.0f} write units: the record's "
        f"{use.image_item_bytes / 1024:.1f} KB, {use.image_list_bytes / 1024:.1f} of them vectors, stored as whole "
        "numbers of two digits; one for each listing, one for the look-up by pixels, four for the ledger's "
        "transaction, one for the upload's state.",
        (
            "an image",
            "DynamoDB: vectors",
        ): f"{use.image_vector_bytes / 1024:.1f} KB go to the two indexes: four bytes "
        "a dimension, the keys and what is projected.",
        (
            "an image",
            "S3: signature and thumbnail",
        ): "One object holds all that reranking needs; the other spares each view of the page a call a thumbnail.",
        ("an image", "S3: the upload"): "The image itself; one that is indexed where it lies costs none.",
        ("an image", "Lambda: computing"): f"{use.image_seconds * 1000:.0f} ms of the function, "
        f"{figures['image_processor_ms']:.0f} ms of a processor: what waits for S3 and DynamoDB is hidden by the "
        f"others of a batch. One by one it would be {_alone(use, figures):.0f} ms.",
        ("a search", "S3: signatures"): "The last 512 signatures stay in the process's memory, which is not counted "
        "here.",
        ("a search", "Lambda: computing"): "LiteRT instead of Keras, signatures instead of images.",
    }
    return [
        f"- {of}, {name}: {share:.0%}. {done.get((of, name), '')}".rstrip()
        for of, name, share in sorted(lines, key=lambda line: -line[2])
        if share >= 0.1
    ]


def _alone(use: Use, figures: Mapping[str, float]) -> float:
    """Milliseconds of the function for an image that no other's computing hides the waiting of."""
    return figures["image_processor_ms"] + use.image_waiting * 1000


def _computing(use: Use, figures: Mapping[str, float]) -> float:
    """Dollars for what a million images compute, without their waiting."""
    return figures["image_processor_ms"] / 1000 * use.ingest_gb * prices.LAMBDA_GB_SECOND * MILLION


def _beside(use: Use) -> list[str]:
    rows = [
        "| images a month, and kept | searches a month | PicTrace, $ | servers, $ | managed service, $ |",
        "|---:|---:|---:|---:|---:|",
    ]
    for images, searches in ((0, 0), (10_000, 10_000), (100_000, 100_000), (MILLION, MILLION), (MILLION, 10_000)):
        ours: Sequence[Lines] = (
            ingesting(use, images),
            searching(use, searches),
            keeping(use, images),
            idle(),
        )
        found = (
            sum(sum(lines.values()) for lines in ours),
            sum(on_a_server(use, images, searches).values()),
            sum(with_a_service(use, images, searches).values()),
        )
        rows.append(f"| {images:,} | {searches:,} | {' | '.join(f'{dollars:,.2f}' for dollars in found)} |")
    return rows


def _faces(use: Use, after: Lines) -> list[str]:
    """What a collection costs that has faces on, by how many an image shows."""
    counts = tuple(faces.SECONDS)
    lines = {count: faces.looking(use, MILLION, count) for count in counts}
    without = sum(after.values())
    rows = [f"| {name} | {' | '.join(f'{lines[count][name]:,.2f}' for count in counts)} |" for name in lines[counts[0]]]
    more = [sum(lines[count].values()) for count in counts]
    together = " | ".join(f"{without + one:,.2f}" for one in more)
    return [
        "Faces are off by default. In a collection that has them on, a million images cost so "
        "much more, by how many faces each of them shows:",
        "",
        f"| dollars more | {' | '.join(f'{count} faces' if count != 1 else '1 face' for count in counts)} |",
        f"|---|{'---:|' * len(counts)}",
        *rows,
        f"| **together** | {' | '.join(f'**{one:,.2f}**' for one in more)} |",
        f"| a million images with their faces, from their events on | {together} |",
        "",
        f"Looking takes {faces.SECONDS[0] * 1000:.0f} ms of a processor where there is no face, and "
        f"{faces.SECONDS[10] * 1000:.0f} ms for 10 (`make bench-faces`). Units are counted from the items that are "
        "written; a search among faces is taken to examine "
        f"{faces.FACES_EXAMINED_BYTES // 1000} KB. Of 500 photographs, 32 faces were found, so that a million such "
        f"images would cost about ${more[0] + 0.064 * (more[1] - more[0]):,.2f} more.",
    ]


def table(title: str, lines: Lines) -> list[str]:
    rows = [f"| {name} | {dollars:,.2f} |" for name, dollars in sorted(lines.items(), key=lambda line: -line[1])]
    return [f"| {title} | $ |", "|---|---:|", *rows, f"| **together** | **{sum(lines.values()):,.2f}** |", ""]
