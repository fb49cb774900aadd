"""docs/performance.md by command: one run of the serving benchmarks, its figures, and the plots made of them."""
