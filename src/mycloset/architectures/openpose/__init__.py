"""OpenPose: poses of all people, hands and faces as heatmaps and part affinity fields."""
