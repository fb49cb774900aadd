"""The methods of GRPCInferenceService; those beside ModelInfer tell what is served, in the words of the catalogue.

As over HTTP, a key is needed for everything but whether the server lives, whether it is ready, and what it is.
"""

from typing import Never, TypeVar

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from grpc import GenericRpcHandler, method_handlers_generic_handler, stream_unary_rpc_method_handler

from gateway import catalogue
from gateway.access.callers import caller_of
from gateway.errors import ExtensionNotServed, ModelNotReady
from gateway.grpc.arriving import arriving, rest_of
from gateway.grpc.predict import Predictions, headers_of
from gateway.grpc.refuse import Context, refusing
from gateway.http.asgi import header
from gateway.live import Live
from gateway.plan import Caller
from gateway.protocol import inference_pb2 as pb
from gateway.protocol.contents_errors import MalformedMessage
from gateway.store.ledger import Ledger
from gateway.times import now_us

SERVICE = "inference.GRPCInferenceService"
KEYLESS = frozenset({"ServerLive", "ServerReady", "ServerMetadata"})
STREAM_ENDS_S = 0.5
"""How long a stream may go on before it is refused; a caller that waits for its first answer does not end it."""
M = TypeVar("M", bound=Message)


class Catalogue:
    """Answers what a caller asks about the server and its models."""

    def __init__(self, live: Live, ledger: Ledger) -> None:
        self._live = live
        self._ledger = ledger

    async def live(self, _body: bytes, _context: Context) -> bytes:
        """That the process answers."""
        return pb.ServerLiveResponse(live=True).SerializeToString()

    async def ready(self, _body: bytes, _context: Context) -> bytes:
        """Whether requests should be sent here."""
        return pb.ServerReadyResponse(ready=self._live.takes_requests).SerializeToString()

    async def server(self, _body: bytes, _context: Context) -> bytes:
        """What this server is."""
        return _told(catalogue.server_metadata(self._live), pb.ServerMetadataResponse())

    async def model_ready(self, body: bytes, context: Context) -> bytes:
        """Whether a model's session is open."""
        asked, caller = _read(body, pb.ModelReadyRequest), self.caller(context)
        try:
            catalogue.require_ready(self._live, caller, asked.name, asked.version or None)
        except ModelNotReady:
            return pb.ModelReadyResponse(ready=False).SerializeToString()
        return pb.ModelReadyResponse(ready=True).SerializeToString()

    async def model(self, body: bytes, context: Context) -> bytes:
        """A model's signature."""
        asked, caller = _read(body, pb.ModelMetadataRequest), self.caller(context)
        metadata = catalogue.model_metadata(self._live, caller, asked.name, asked.version or None)
        return _told(metadata, pb.ModelMetadataResponse())

    async def config(self, body: bytes, context: Context) -> bytes:
        """A model's inputs and outputs in Triton's words."""
        asked, caller = _read(body, pb.ModelConfigRequest), self.caller(context)
        configuration = catalogue.configuration_of(self._live, caller, asked.name, asked.version or None)
        return _told({"config": configuration}, pb.ModelConfigResponse())

    async def statistics(self, body: bytes, context: Context) -> bytes:
        """What this process answered with one model, or with all."""
        asked, caller = _read(body, pb.ModelStatisticsRequest), self.caller(context)
        if asked.name:
            found = catalogue.statistics_of(self._live, caller, asked.name, asked.version or None)
        else:
            found = catalogue.statistics_of_all(self._live, caller)
        return _told({"model_stats": found}, pb.ModelStatisticsResponse())

    async def index(self, body: bytes, context: Context) -> bytes:
        """The models that the caller may use."""
        asked, caller = _read(body, pb.RepositoryIndexRequest), self.caller(context)
        entries = catalogue.repository_index(self._live, caller, only_ready=asked.ready)
        return _told({"models": entries}, pb.RepositoryIndexResponse())

    async def load(self, body: bytes, context: Context) -> bytes:
        """That a model's champion is there."""
        asked, caller = _read(body, pb.RepositoryModelLoadRequest), self.caller(context)
        await catalogue.load(self._ledger, self._live, caller, asked.model_name, asked.parameters)
        return pb.RepositoryModelLoadResponse().SerializeToString()

    async def unload(self, body: bytes, context: Context) -> bytes:
        """Never: a champion is not unloaded."""
        asked, caller = _read(body, pb.RepositoryModelUnloadRequest), self.caller(context)
        await catalogue.unload(self._ledger, self._live, caller, asked.model_name)
        return pb.RepositoryModelUnloadResponse().SerializeToString()

    def caller(self, context: Context) -> Caller:
        """The caller whose key came in the metadata. Raises: Unauthenticated."""
        return caller_of(header(headers_of(context), b"authorization"), self._live.plan.plan, now_us())


def service(predictions: Predictions, asked: Catalogue, message_s: float) -> GenericRpcHandler:
    """The handlers of the service; requests and responses are bytes, so that large tensors are not copied.

    A message may take `message_s` seconds to come, and is not read before a key that is needed has been seen.
    """
    methods = {
        "ServerLive": refusing(asked.live),
        "ServerReady": refusing(asked.ready),
        "ServerMetadata": refusing(asked.server),
        "ModelReady": refusing(asked.model_ready),
        "ModelMetadata": refusing(asked.model),
        "ModelConfig": refusing(asked.config),
        "ModelStatistics": refusing(asked.statistics),
        "RepositoryIndex": refusing(asked.index),
        "RepositoryModelLoad": refusing(asked.load),
        "RepositoryModelUnload": refusing(asked.unload),
        "ModelStreamInfer": refusing(_stream),
    }
    handlers = {
        name: stream_unary_rpc_method_handler(arriving(method, message_s, None if name in KEYLESS else asked.caller))
        for name, method in methods.items()
    }
    handlers["ModelInfer"] = stream_unary_rpc_method_handler(predictions.infer)
    return method_handlers_generic_handler(SERVICE, handlers)


async def _stream(_body: bytes, context: Context) -> Never:
    """Never returns: requests in a stream are Triton's own, and each of them can be a ModelInfer."""
    await rest_of(context, STREAM_ENDS_S)
    raise ExtensionNotServed(extension="streaming")


def _read(body: bytes, kind: type[M]) -> M:
    """The message in a body. Raises: MalformedMessage."""
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise MalformedMessage(message=kind.DESCRIPTOR.name) from error


def _told(value: object, message: Message) -> bytes:
    """The value as this message, by the names of its fields; what the message has no field for is left out."""
    filled = json_format.Parse(msgspec.json.encode(value), message, ignore_unknown_fields=True)
    return filled.SerializeToString()
