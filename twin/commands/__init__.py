"""What commands do with twins and accounts: the main job, rehearsals, exports, pictures."""
