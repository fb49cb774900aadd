"""The express way: plain requests, answered a turn of the event loop at a time and without a task each.

A request is plain when it is small JSON that came whole, asks for nothing beside the answer, and is answered by a model
that is short enough for the loop. Whatever is not plain, or turns out not to be, takes the general way of
`gateway.pipeline`, which knows everything; here is only what can be answered as it would answer it.
"""
