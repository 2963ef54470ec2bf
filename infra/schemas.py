"""Write the JSON Schemas of incoming and outgoing events to docs/reference/schemas: `python -m infra.schemas`."""

import json
from pathlib import Path
from typing import Final

from shared.aws.event_bus import EVENTS
from shared.aws.messages import Submission

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "reference" / "schemas"


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    models = {event.__name__: event for event in EVENTS} | {"ImageSubmitted": Submission}
    for name, model in models.items():
        path = folder / f"{name}.v1.json"
        path.write_text(json.dumps(model.model_json_schema(), indent=2) + "\n", encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
