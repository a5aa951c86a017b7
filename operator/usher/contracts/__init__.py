"""The Protocols between the engine and its ends: target, source, store, runtime."""
