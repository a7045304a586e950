"""Writes the configuration's own schema into the chart's, so that Helm judges `config` too.

`make chart-schema` runs it, and a test tells when it has to be run. What the chart decides by
itself (`metrics`, `state_dir`) is no key there.
"""

import json
from pathlib import Path
from typing import Any, Final

from proxy.config.describe import json_schema

CHART: Final = Path(__file__).parent / "token-sidecar" / "values.schema.json"
DECIDED: Final = frozenset({"metrics", "state_dir"})


def completed(chart: dict[str, Any]) -> dict[str, Any]:
    """The chart's schema with today's configuration in it; its own definitions are lower case."""
    own = {name: one for name, one in chart["$defs"].items() if name[0].islower()}
    file = json_schema()
    configuration = {
        "type": "object",
        "description": "What the sidecar does: docs/configuration.md.",
        "additionalProperties": False,
        "properties": {key: one for key, one in file["properties"].items() if key not in DECIDED},
    }
    return chart | {"$defs": {**own, "Configuration": configuration, **file["$defs"]}}


def written(chart: dict[str, Any]) -> str:
    """As it stands in the file."""
    return json.dumps(chart, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    CHART.write_text(written(completed(json.loads(CHART.read_text()))))
