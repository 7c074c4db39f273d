/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A flight through a few stars; a push stretches them into lines.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Space"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Speed", "TYPE": "float", "DEFAULT": 0.1, "MIN": 0, "MAX": 1},
    {"NAME": "travel", "LABEL": "Distance of the flight", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "push", "LABEL": "Length of the streaks", "TYPE": "float", "DEFAULT": 0.12, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Sparkle", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "density", "LABEL": "Density", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "size", "LABEL": "Size of a star", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.05, "MAX": 1},
    {"NAME": "centre", "LABEL": "Vanishing point", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "night", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.015, 1]},
    {"NAME": "cold", "LABEL": "Most stars", "TYPE": "color", "DEFAULT": [0.72, 0.84, 1.0, 1]},
    {"NAME": "warm", "LABEL": "Few stars", "TYPE": "color", "DEFAULT": [1.0, 0.5, 0.16, 1]}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (isf_FragNormCoord - centre) * RENDERSIZE / unit;
    float radius = length(p) + 1e-4, angle = atan(p.y, p.x) / 6.2831853 + 0.5;
    float log2r = log2(radius);
    vec3 colour = night.rgb;
    for (int layer = 0; layer < 4; layer++) {
        // One star lives in each sector and flies outwards from its own moment on: the pixel asks one star a layer.
        float sectors = 40.0 + 34.0 * float(layer);
        float at = angle * sectors, sector = floor(at);
        float pace = (speed * TIME + travel) * (1.0 - 0.12 * float(layer));
        uint dice = word(uint(sector) + 8192u * uint(layer));
        float start = float(dice & 4095u) / 4095.0;
        float life = pace + start, age = fract(life);
        dice = word(dice + uint(int(life)));  // every flight is a new star
        float place = 0.25 + 0.5 * float(dice & 255u) / 255.0;
        float chance = float((dice >> 8u) & 255u) / 255.0, bright = float((dice >> 16u) & 255u) / 255.0;
        float head = -6.5 + 7.5 * age;  // log2 of the star's radius: constant speed towards the eye
        float lag = head - log2r;  // octaves behind the head
        float across = (fract(at) - place) / sectors * 6.2831853 * radius;
        float thick = unit < 1.0 ? 1.0 : (0.0012 + 0.009 * size * size * (0.3 + bright)) * (0.35 + radius);
        float tail = push * 2.2 + thick / radius * 1.6;
        float along = lag > 0.0 ? lag / tail : -lag * radius / thick;
        float body = max(1.0 - along, 0.0) * exp(-across * across / (thick * thick));
        float shine = step(chance, density) * smoothstep(0.0, 0.35, age) * (0.3 + 0.7 * bright) * (1.0 + 1.5 * hit * bright);
        colour += body * shine * (bright > 0.82 ? warm.rgb : cold.rgb);
    }
    gl_FragColor = vec4(min(colour, vec3(1.0)), 1.0);
}
