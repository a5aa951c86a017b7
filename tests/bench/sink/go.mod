module usher/tests/bench/sink

go 1.21
