"""The code of the gRPC protocol, as made from its .proto file: `python -m tests.contracts.proto --write` writes it."""

import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "gateway/protocol/inference.proto"
MADE = ("gateway/protocol/inference_pb2.py", "gateway/protocol/inference_pb2.pyi")


def made() -> dict[str, str]:
    """What the compiler makes of the .proto file, by path."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["protoc", f"-I{ROOT}", f"-I{files('grpc_tools') / '_proto'}"]
        status = protoc.main([*words, f"--python_out={folder}", f"--pyi_out={folder}", str(ROOT / SOURCE)])
        assert status == 0, f"{SOURCE} does not compile"
        return {path: (Path(folder) / path).read_text() for path in MADE}


def main(arguments: Sequence[str]) -> int:
    """Name each file that is out of step, and with --write bring it in step; 1 when one stays out of step."""
    stale = {path: text for path, text in made().items() if (ROOT / path).read_text() != text}
    for path, text in stale.items():
        print(path)
        if "--write" in arguments:
            (ROOT / path).write_text(text)
    return int(bool(stale) and "--write" not in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
