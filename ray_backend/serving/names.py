"""The names that the parts on Ray find each other by, and the resources that say what a node is for."""

from __future__ import annotations

NAMESPACE = "rollcall"
DATABASE_ACTOR = "DatabaseActor"
FACE_ACTOR = "FaceEmbeddingActor"
SHARD_ACTOR = "GalleryShardActor"
REPORT_ACTOR = "ReportActor"
CLUSTER_ACTOR = "ClusterActor"

# The one node with the database actors, the journal, the data folder and the API's proxy has 1 of these.
RECORDS_RESOURCE = "rollcall_records"
# How many FaceEmbeddingActors a node takes.
FACES_RESOURCE = "rollcall_faces"
# What a part wants of `rollcall_records`, just to be put on that node.
SLIVER = 0.001
