/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A night sea up to its horizon, with a low moon and its path of light on the waves.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Landscape"],
  "INPUTS": [
    {"NAME": "level", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "rough", "LABEL": "Roughness", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1},
    {"NAME": "travel", "LABEL": "Where the waves are", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 100000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Swell", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Lightning behind the horizon", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "glow", "LABEL": "Path of light", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Glitter", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "place", "LABEL": "Place of the moon", "TYPE": "float", "DEFAULT": 0.64, "MIN": 0, "MAX": 1},
    {"NAME": "moon", "LABEL": "Height of the moon over the horizon", "TYPE": "float", "DEFAULT": 0.5, "MIN": -0.5, "MAX": 1},
    {"NAME": "night", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.006, 0.02, 1]},
    {"NAME": "water", "LABEL": "Water", "TYPE": "color", "DEFAULT": [0.02, 0.16, 0.24, 1]},
    {"NAME": "light", "LABEL": "Moon", "TYPE": "color", "DEFAULT": [1.0, 0.62, 0.32, 1]}
  ],
  "PASSES": [
    {"TARGET": "lattice", "WIDTH": "128", "HEIGHT": "128", "FLOAT": true},
    {"TARGET": "waves", "WIDTH": "max(floor($WIDTH/2), 16)", "FLOAT": true},
    {}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float chance(ivec2 cell) {
    return float(word(uint(cell.x) + word(uint(cell.y)))) / 4294967295.0;
}

float noise(vec2 p) {  // value noise; its lattice of random numbers ends as it begins
    vec2 f = fract(p);
    p += f * f * (3.0 - 2.0 * f) - f;
    return IMG_NORM_PIXEL(lattice, (mod(p, 127.0) + 0.5) / 128.0).x;
}

// The surface at a place on the sea: crests are sharp, troughs are wide.
float surface(vec2 at) {
    float height = 0.0, weight = 0.45, sum = 0.0, speed = 0.55, share = mix(0.35, 0.68, rough), fall = 1.0;
    for (int i = 0; i < (PASSINDEX == 1 ? 5 : 0); i++) {  // never unrolled into the last pass
        float n = 1.0 - abs(2.0 * noise(at + vec2(0.3, 1.0) * travel * speed) - 1.0);
        height += weight * n * n;
        sum += weight;
        fall *= share;
        weight = fall;
        at = mat2(1.5, 1.15, -1.15, 1.5) * at + 11.0;
        speed *= 1.4;
    }
    return height / sum;
}

float far(float below) {  // farther rows are closer together
    return 0.16 / (below + 0.012);
}

vec3 sky(vec2 p, float x, float above, vec2 shape) {
    float up = p.y - shape.y * level - 0.03 - 0.5 * moon * shape.y * (1.0 - level);
    float radius = 0.085 * (1.0 + 0.12 * hit), away = length(vec2(x, up)) - radius;
    float halo = 0.3 * exp(-11.0 * max(away, 0.0)) + 0.07 * exp(-3.0 * max(away, 0.0));
    float west = p.x - 0.2 * shape.x;
    vec3 colour = night.rgb + water.rgb * 0.45 * exp(-6.0 * above) + light.rgb * halo * (0.7 + 0.8 * hit);
    colour += mix(water.rgb, vec3(1.0), 0.4) * snap * exp(-9.0 * above - 5.0 * west * west);
    vec3 disc = light.rgb * 1.1 * (0.9 + 1.6 * up);
    return mix(colour, disc, smoothstep(0.003, -0.003, away));
}

vec3 sea(vec2 p, float x, float below) {
    float depth = far(below), row = 1.0 / IMG_SIZE(waves).y, tall = IMG_NORM_PIXEL(waves, isf_FragNormCoord).x;
    float next = IMG_NORM_PIXEL(waves, isf_FragNormCoord - vec2(0.0, row)).x;
    float away = 6.5 * (depth - far(below + row * RENDERSIZE.y / min(RENDERSIZE.x, RENDERSIZE.y)));
    float slope = 1.8 * (tall - next) / max(away, 0.04 + 0.02 * depth);
    float calm = exp(-0.16 * depth);  // the far sea is smooth
    vec3 colour = night.rgb * 0.5 + water.rgb * (0.1 + 0.85 * tall * tall) * (0.75 + 0.25 * calm);
    colour += water.rgb * max(slope, 0.0) * (0.25 + 0.5 * rough);
    float width = 0.05 + (0.12 + 0.2 * rough) * below + 0.1 * hit, off = (x + 0.09 * slope * calm) / width;
    float facet = smoothstep(0.25 - 0.2 * glow, 0.75, 0.5 + 0.45 * slope + 0.25 * (tall - 0.4) + 0.25 * hit);
    float path = exp(-off * off);
    colour += light.rgb * path * (0.03 + facet) * (0.2 + 0.8 * glow + 0.6 * hit);
    colour += vec3(0.35, 0.43, 0.46) * smoothstep(0.62 - 0.2 * rough, 0.95, tall) * rough * calm;
    if (sparkle > 0.0) {
        vec2 cell = p * vec2(60.0, 90.0);
        float glint = step(0.96, chance(ivec2(floor(cell)) + int(floor(TIME * 12.0)) * 77)) * step(0.35, tall);
        glint *= smoothstep(0.3, 0.05, length(fract(cell) - 0.5));
        colour += sparkle * glint * mix(light.rgb, vec3(1.0), 0.5) * (0.3 + path);
    }
    return colour;
}

void main() {
    if (PASSINDEX == 0) {
        gl_FragColor = vec4(chance(ivec2(isf_FragNormCoord * 128.0) % 127), 0.0, 0.0, 1.0);
        return;
    }
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y), p = isf_FragNormCoord * shape;
    float x = p.x - place * shape.x;
    // A swell lifts the horizon itself, as a long wave does when it is seen from a boat.
    float swell = (0.008 + 0.035 * rough) * (0.4 + rough) * sin(x * 2.3 + 0.4 * travel);
    float below = shape.y * (level + 0.07 * hit * exp(-2.0 * x * x)) + swell - p.y;
    if (PASSINDEX == 1) {
        gl_FragColor = vec4(surface(vec2(6.0 * x, 6.5) * far(max(below, 0.0))), 0.0, 0.0, 1.0);
    } else {
        float wet = clamp(0.5 + below * RENDERSIZE.y / shape.y, 0.0, 1.0);
        gl_FragColor = vec4(mix(sky(p, x, max(-below, 0.0), shape), sea(p, x, max(below, 0.0)), wet), 1.0);
    }
}
