/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Black water up to a horizon: it shows what is above it, upside down; a hit is a drop, whose rings run out.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Landscape"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the water", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "horizon", "LABEL": "Height of the water in the frame", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.02, "MAX": 0.9},
    {"NAME": "clear", "LABEL": "How much light the water gives back", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1},
    {"NAME": "rough", "LABEL": "Waves", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "speed", "LABEL": "Slow movement", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 3},
    {"NAME": "hit", "LABEL": "Rings, run outwards as it decays", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "place", "LABEL": "Where the drop falls, across the frame", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "water", "LABEL": "Deep water", "TYPE": "color", "DEFAULT": [0.0, 0.006, 0.016, 1]},
    {"NAME": "light", "LABEL": "Light on the waves", "TYPE": "color", "DEFAULT": [0.5, 0.66, 0.9, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float height(vec2 at, float t) {  // of the waves at a place on the water
    return sway(at.y * 0.9 + 0.25 * sway(at.x * 0.31 + t * 0.11) + t * 0.23)
        + 0.6 * sway(at.y * 1.7 - 0.34 * at.x + t * 0.31 + 0.2) + 0.35 * sway(at.y * 3.1 + 0.8 * at.x - t * 0.47);
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    vec2 uv = isf_FragNormCoord, shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    float down = max(horizon - uv.y, 0.0) / horizon;  // 0 at the horizon, 1 at the lower edge
    // The eye is low over the water: what is near has large waves, what is far has fine ones.
    float depth = 1.0 / (down + 0.12);
    vec2 at = vec2((uv.x - 0.5) * shape.x * 1.6 * depth, 3.2 * depth);
    float t = TIME * speed, up = height(at + vec2(0.0, 0.05), t) - height(at, t);
    vec2 drop = vec2((uv.x - place) * shape.x, (down - 0.5) * 2.4 * horizon);
    float r = length(drop), front = 0.9 * (1.0 - hit), band = exp(-60.0 * (r - front) * (r - front)) * hit;
    float ring = band * sway(r * 14.0 - front * 14.0);
    float tilt = 0.5 * rough * up * (0.3 + 0.7 * down) + 0.06 * ring;
    vec2 from = vec2(uv.x + (0.06 * rough * up * down + 0.02 * ring * sign(drop.x)) / shape.x, horizon + (horizon - uv.y) * (1.15 + 0.35 * down) + 0.16 * tilt);
    from = vec2(from.x, max(from.y, horizon + 0.5 / RENDERSIZE.y));
    // The image is softer the nearer it is to the eye, since waves spread it.
    vec2 soft = vec2(0.15, 1.0) * down * rough * 0.012;
    vec3 seen = 0.5 * IMG_NORM_PIXEL(inputImage, from).rgb + 0.25 * (IMG_NORM_PIXEL(inputImage, from + soft) + IMG_NORM_PIXEL(inputImage, from - soft)).rgb;
    float back = clear * (1.0 - 0.45 * down);
    vec3 surface = water.rgb + seen * back + light.rgb * (0.3 * max(ring, 0.0) + 0.05 * max(up, 0.0) * rough * (1.0 - down));
    surface += light.rgb * 0.1 * exp(-down * 60.0);  // the shore
    gl_FragColor = vec4(uv.y < horizon ? mix(here.rgb, surface, amount) : here.rgb, here.a);
}
