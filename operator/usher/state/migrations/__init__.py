"""The steps from one schema of the state to the next. See `usher.state.migrating`."""
