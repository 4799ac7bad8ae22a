"""The programs and files a twin is made of: which ones, how they are built, where they are kept."""
