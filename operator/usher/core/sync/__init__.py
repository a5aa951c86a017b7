"""The decisions of a cycle, pure: scope, mapping, matching, planning, safety policies, recording."""
