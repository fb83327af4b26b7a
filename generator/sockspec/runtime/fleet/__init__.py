"""What a node does with its backplane: it delivers in order, refills gaps, resumes connections, and knows who is there.

`hub` is the node, `feed` one stream on it, `sessions` what outlives a connection, `presence` who is in a group. `control`
has the messages by which a server and a client agree on what was received, `recovery` the client's side of that.
"""
