"""Records in; estimates, findings, fronts and decisions out.  Opens no file, reads no clock."""
