"""What carries groups, presence, limits and sessions between the nodes of a fleet.

`line` is the interface. `memory` is the default and the reference of behaviour; `redis` and `nats` reach other processes;
`conformance` is the suite that all of them pass, for whoever writes another one.
"""
