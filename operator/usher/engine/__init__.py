"""The cycle: the only code that awaits a contract. It reads, decides with `core.sync`, writes, and reports."""
