"""Web: the public site as plain files, and the side for those who run it. Neither decides anything."""
