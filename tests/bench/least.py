"""The least that can answer a picture on this machine: no HTTP is understood, no loop turns, one caller is served.

A blocking socket is read straight to where the tensor lies; the tensor is digested, the model run, its numbers written.
`python -m tests.bench.least MODEL PORT REQUEST_BYTES TENSOR_BYTES`: each request has that many bytes, of which the last
are the tensor. No server that digests what it is asked can be much nearer to the raw loop of onnxruntime.
"""

import socket
import sys
from hashlib import sha256

import numpy as np
import onnxruntime as ort
import orjson

from gateway.protocol.binary import room_for


def main(model: str, port: str, request_bytes: str, tensor_bytes: str) -> None:
    """Serve until ended."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    size, begins = int(request_bytes), int(request_bytes) - int(tensor_bytes)
    request = room_for(size, begins)
    [spec] = session.get_inputs()
    tensor = np.frombuffer(request[begins:], np.float32).reshape(1, *spec.shape[1:])
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while _read(connection, request):
                    sha256(request[begins:]).hexdigest()
                    body = orjson.dumps(session.run(None, {spec.name: tensor}), option=orjson.OPT_SERIALIZE_NUMPY)
                    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                    connection.sendall(head % len(body) + body)


def _read(connection: socket.socket, request: memoryview) -> bool:
    """Whether another request came."""
    came = 0
    while came < len(request):
        try:
            read = connection.recv_into(request[came:])
        except ConnectionError:
            return False
        if not read:
            return False
        came += read
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
