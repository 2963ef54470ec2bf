"""Carry out a Dockerfile's instructions in folders, without an engine: each stage's file system is a folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Final

RECORDED: Final = {"USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
"""Instructions that change no file."""


@dataclass(frozen=True, slots=True)
class Instruction:
    word: str
    text: str

    @property
    def command(self) -> list[str]:
        """The command that ends it, in exec form."""
        found: list[str] = json.loads(self.text[self.text.index("[") :])
        return found


def stages(dockerfile: str) -> dict[str, list[Instruction]]:
    """Return the instructions of each stage by its name; the last stage, if it has none, is called `""`."""
    text = re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    found = re.findall(r"^FROM (?:--\S+ )?\S+(?: AS (\S+))?\n(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL)
    return {
        name: [Instruction(*line.split(maxsplit=1)) for line in body.splitlines() if line.strip()]
        for name, body in found
    }


@dataclass(slots=True)
class Stage:
    """A stage that is being built.

    Attributes:
        root: the folder that is its file system.
        environment: its variables.
        folder: its working directory, below `root`.
        recorded: the instructions that change no file, by their word.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    recorded: dict[str, Instruction] = field(default_factory=dict)

    def build(
        self,
        instructions: Iterable[Instruction],
        context: Path,
        *,
        arguments: Mapping[str, str] | None = None,
        earlier: Mapping[str, Path] | None = None,
        skipped: str = r"(?!)",
    ) -> None:
        """Carry out the instructions.

        Args:
            arguments: values of the stage's ARGs.
            earlier: roots of other stages.
            skipped: pattern of the commands that are not run.
        """
        values = dict(arguments or {})
        self._path(str(self.folder)).mkdir(parents=True, exist_ok=True)
        for one in instructions:
            match one.word:
                case "COPY":
                    self._copy(Template(one.text).substitute(values), context, earlier or {})
                case "RUN" if not re.match(skipped, one.text):
                    self._run(one.text, values)
                case "ARG":
                    name, given, default = one.text.partition("=")
                    values |= {name: default} if given and name not in values else {}
                case "ENV":
                    self.environment |= dict(pair.split("=", 1) for pair in shlex.split(one.text))
                case "WORKDIR":
                    self.folder /= one.text
                    self._path(str(self.folder)).mkdir(parents=True, exist_ok=True)
                case word if word in RECORDED:
                    self.recorded[word] = one
                case "RUN":
                    pass
                case _:
                    raise AssertionError(f"cannot do {one}")

    def _path(self, name: str) -> Path:
        return self.root / str(self.folder / name).lstrip("/")

    def _copy(self, text: str, context: Path, earlier: Mapping[str, Path]) -> None:
        options, paths = re.findall(r"--(\w+)=(\S+)", text), re.sub(r"--\S+ ", "", text)
        source = earlier[dict(options)["from"]] if "from" in dict(options) else context
        *names, target = paths.split()
        found = [path for name in names for path in sorted(source.glob(name.strip("/")))]
        assert found, f"there is nothing to COPY {text}"
        for path in found:
            _copy(path, self._path(target), into=path.is_file() and target.endswith("/"))

    def _run(self, command: str, values: Mapping[str, str]) -> None:
        command = re.sub(r"(?<= )/(?=\w)", f"{self.root}/", command).replace("python ", f"{sys.executable} ")
        environment = {**os.environ, **self.environment, **values}
        folder = self._path(str(self.folder))
        subprocess.run(["sh", "-c", f"umask 022; {command}"], cwd=folder, env=environment, check=True)


def sent(context: Path, names: Iterable[str], dockerignore: str) -> list[str]:
    """Return the files of a build context that a `.dockerignore` lets through; its last pattern that matches counts."""
    rules = [line for line in dockerignore.splitlines() if line and not line.startswith("#")]
    patterns = [(re.compile(_expression(rule.removeprefix("!"))), not rule.startswith("!")) for rule in rules]

    def ignored(name: str) -> bool:
        parents = [str(parent) for parent in Path(name).parents][:-1]
        matching = [out for one, out in patterns if any(one.fullmatch(path) for path in (name, *parents))]
        return bool(matching and matching[-1])

    return [name for name in names if (context / name).is_file() and not ignored(name)]


def _expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")


def _copy(source: Path, target: Path, *, into: bool) -> None:
    """Copy as `COPY` does: keep file modes, and create missing folders with mode 755."""
    if into:
        target /= source.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
