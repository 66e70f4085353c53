"""The chain of acts: who did what, under which authority, and how the rows that decide stood afterwards."""
