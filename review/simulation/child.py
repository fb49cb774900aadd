"""`python -m review.simulation.child` runs a simulation, tethered to the worker that started it.

The processes that count import this module again, so it imports nothing unless it is run.
"""

if __name__ == "__main__":
    import asyncio

    from review.learning.child import be_child
    from review.simulation.simulating import SimulateTask, simulate

    asyncio.run(be_child(SimulateTask, simulate, tethered=True))
