"""Triton's client with binary tensors: ``tensors.py HOST:PORT/PATH WHOAMI``.

``WHOAMI`` tells which token goes out now.
"""

import json
import sys
import urllib.request
from importlib.metadata import version
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

DATATYPES = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "UINT8": np.uint8}
ELEMENTS = 300_000


def tensor(name: str, rows: int) -> np.ndarray:
    """Numbers that are all different where the type allows it."""
    count = ELEMENTS // 300 * rows
    return np.arange(count).astype(DATATYPES[name]).reshape(rows, -1)


def doubled(client: InferenceServerClient, datatype: str, rows: int) -> bool:
    """Whether each number came back doubled, bit for bit, in a binary tensor."""
    given = tensor(datatype, rows)
    asked = InferInput("numbers", given.shape, datatype)
    asked.set_data_from_numpy(given, binary_data=True)
    output = InferRequestedOutput("numbers-doubled", binary_data=True)
    answer = client.infer("double", [asked], outputs=[output], request_id="7")
    binary = "binary_data_size" in answer.get_output("numbers-doubled")["parameters"]
    right = answer.as_numpy("numbers-doubled").tobytes() == (given * 2).tobytes()
    return binary and right and answer.get_response()["id"] == "7"


def until_three(client: InferenceServerClient, whoami: str) -> dict[str, Any]:
    """Infer until three tokens were used."""
    used, right, requests = set(), 0, 0
    while len(used) < 3:
        right += doubled(client, "FP32", 30)
        requests += 1
        with urllib.request.urlopen(whoami) as answer:
            used.add(answer.read().decode())
    return {"requests": requests, "right": right, "used": sorted(used)}


def main(place: str, whoami: str) -> dict[str, Any]:
    with InferenceServerClient(place, network_timeout=30, connection_timeout=30) as client:
        return {
            "version": version("tritonclient"),
            "live": client.is_server_live(),
            "ready": client.is_model_ready("double"),
            "model": client.get_model_metadata("double")["name"],
            "doubled": {name: doubled(client, name, 300) for name in DATATYPES},
            "many": until_three(client, whoami),
        }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
