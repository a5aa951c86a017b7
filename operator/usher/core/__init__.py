"""The pure half of Usher: no await, no input or output, no logging, no clock, no randomness of its own."""
