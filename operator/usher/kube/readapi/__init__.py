"""The read API: what the state says of people, for who may know it. Both ends of it: the operator's and the user's."""
