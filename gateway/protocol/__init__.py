"""Open Inference Protocol v2: messages, and tensors to and from numpy. No I/O."""
