"""Model files as frameworks write them and as attackers would, built without the frameworks."""
