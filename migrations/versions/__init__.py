"""One module per revision, named by day; never edited once it was released."""
