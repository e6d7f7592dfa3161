"""RAFT: optical flow by recurrent look-ups in all-pairs correlations."""
