"""The gRPC listener: the Open Inference Protocol's service, health and reflection. One door to the gRPC server."""
