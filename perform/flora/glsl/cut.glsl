#define CUT  // petals with cut edges
