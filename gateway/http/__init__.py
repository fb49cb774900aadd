"""The gateway over HTTP: a bare entry for predictions, and a Litestar application for everything else under /v2."""
