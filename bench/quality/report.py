"""The results of the quality benchmark as tables and a plot."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

from bench.quality.alterations import ALTERATIONS, MIXTURES
from bench.quality.metrics import Answer, recall_at_precision
from bench.quality.runner import BALANCED, EFFORTS, Asked
from shared.domain.matches import Effort, Verdict

PRECISION: Final = 0.99
COLOURS: Final = ("#0b6e4f", "#7f8c8d", "#c0392b", "#2471a3", "#b7950b", "#8e44ad", "#d35400", "#16a085")


def rows(answers: Iterable[Answer]) -> dict[str, dict[str, list[Answer]]]:
    """Group answers by method and alteration."""
    found: dict[str, dict[str, list[Answer]]] = {}
    for answer in answers:
        found.setdefault(answer.method, {}).setdefault(answer.alteration, []).append(answer)
    return found


def figures(known: Sequence[Answer]) -> dict[str, float]:
    recall, score = recall_at_precision(known, PRECISION)
    return {
        "queries": len(known),
        "R@1": float(np.mean([answer.recall_at(1) for answer in known])),
        "R@5": float(np.mean([answer.recall_at(5) for answer in known])),
        "mAP": float(np.mean([answer.average_precision for answer in known])),
        "recall at 99 % precision": recall,
        "score at 99 % precision": score if np.isfinite(score) else -1.0,
    }


def summary(asked: Asked) -> dict[str, Any]:
    """Return every figure, ready for JSON."""
    by_method = rows(asked.answers)
    return {
        "overall": {
            method: figures([one for known in table.values() for one in known]) for method, table in by_method.items()
        },
        "per alteration": {
            method: {name: figures(known) for name, known in table.items()} for method, table in by_method.items()
        },
        "candidates": {
            f"{effort}, {name}": {
                f"recall at {depth}": float(np.mean([place is not None and place < depth for place in places]))
                for depth in (50, 200)
            }
            for (name, effort), places in asked.gathered.items()
        },
        "verdicts": _verdicts(asked),
    }


def _verdicts(asked: Asked) -> dict[str, dict[str, float]]:
    true_pairs = sum(answer.right for answer in asked.answers if answer.method == BALANCED)
    found = {}
    for verdict in Verdict:
        right = [is_right for _, given, is_right in asked.verdicts if given is verdict]
        precision = float(np.mean(right)) if right else 0.0
        found[str(verdict)] = {"given": len(right), "precision": precision, "recall": sum(right) / true_pairs}
    return found


def markdown(asked: Asked, about: Mapping[str, str]) -> str:
    by_method = rows(asked.answers)
    parts = ["# The right image first\n", *(f"- {name}: {value}" for name, value in about.items()), ""]
    parts += ["## All alterations\n", _overall(by_method), "", "## Candidates and their price\n", _efforts(asked), ""]
    parts += ["## Verdicts\n", _verdict_table(asked), ""]
    for name, of in (
        ("R@1", lambda known: figures(known)["R@1"]),
        ("R@5", lambda known: figures(known)["R@5"]),
        ("mAP", lambda known: figures(known)["mAP"]),
        ("Recall at 99 % precision", lambda known: figures(known)["recall at 99 % precision"]),
    ):
        parts += [f"## {name} per alteration\n", _per_alteration(by_method, of), ""]
    parts += ["## Candidates per alteration\n", _candidates(asked), ""]
    return "\n".join(parts)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in body)])


def _overall(by_method: Mapping[str, Mapping[str, Sequence[Answer]]]) -> str:
    body = []
    for method, table in by_method.items():
        found = figures([one for known in table.values() for one in known])
        names = ("R@1", "R@5", "mAP", "recall at 99 % precision")
        body.append([method, f"{found['queries']:,}", *(f"{found[name]:.3f}" for name in names)])
    return _table(["method", "copies asked for", "R@1", "R@5", "mAP", "recall at 99 % precision"], body)


def _per_alteration(
    by_method: Mapping[str, Mapping[str, Sequence[Answer]]], of: Callable[[Sequence[Answer]], float]
) -> str:
    shown = [method for method in by_method if method not in EFFORTS or method == BALANCED]
    body = []
    for name in ALTERATIONS:
        body.append([name, *(f"{of(by_method[method][name]):.2f}" for method in shown)])
    return _table(["alteration", *shown], body)


def _efforts(asked: Asked) -> str:
    body = []
    for effort in Effort:
        places = [place for (_, known), found in asked.gathered.items() if known is effort for place in found]
        if not places:
            continue
        took, compared, examined = np.array(asked.spent[effort], np.float64).T
        recalls = [f"{np.mean([place is not None and place < depth for place in places]):.3f}" for depth in (50, 200)]
        body.append(
            [
                effort,
                f"{len(places):,}",
                *recalls,
                f"{compared.mean():.0f}",
                f"{examined.mean() / 1e6:.1f} MB",
                f"{np.median(took):.0f} ms",
            ]
        )
    head = ["effort", "copies", "original among 50", "among 200", "compared", "bytes examined", "search and rerank"]
    return _table(head, body)


def _verdict_table(asked: Asked) -> str:
    body = [
        [verdict, f"{found['given']:,}", f"{found['precision']:.4f}", f"{found['recall']:.3f}"]
        for verdict, found in _verdicts(asked).items()
    ]
    return _table(["verdict", "matches", "share that is right", "share of the right ones"], body)


def _candidates(asked: Asked) -> str:
    body = []
    for name in ALTERATIONS:
        row = [name]
        for effort in Effort:
            places = asked.gathered.get((name, effort), [])
            row += [
                f"{np.mean([place is not None and place < depth for place in places]):.2f}" if places else ""
                for depth in (50, 200)
            ]
        body.append(row)
    return _table(["alteration", *(f"{effort}, {depth}" for effort in Effort for depth in (50, 200))], body)


def plot(summarised: Mapping[str, Any], path: Path) -> None:
    """Plot R@1 by alteration and method, from the result of `summary`."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "pictrace"
    from matplotlib import pyplot as plt

    by_method = summarised["per alteration"]
    shown = [method for method in by_method if method not in EFFORTS or method == BALANCED]
    names = list(ALTERATIONS)
    figure, axes = plt.subplots(figsize=(9, 11))
    for place, method in enumerate(shown):
        values = [by_method[method][name]["R@1"] for name in names]
        ours = method == BALANCED
        axes.plot(
            values,
            range(len(names)),
            marker="o" if ours else ".",
            linewidth=2.5 if ours else 1,
            color=COLOURS[place % len(COLOURS)],
            linestyle="-" if place < len(COLOURS) else "--",
            label=method,
            zorder=3 if ours else 2,
        )
    axes.set_yticks(range(len(names)), names)
    axes.axhline(len(names) - len(MIXTURES) - 0.5, color="#cccccc", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of altered copies whose original came first (R@1)")
    axes.grid(axis="x", color="#eeeeee")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.1), ncols=3, frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
