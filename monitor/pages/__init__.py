"""Pages: the public site as plain files, made from one picture and swapped in whole."""
