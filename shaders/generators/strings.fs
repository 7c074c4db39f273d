/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Eight strings across the frame; a plucked one swings in loops and comes to rest.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Line"],
  "INPUTS": [
    {"NAME": "first", "LABEL": "String 1, the lowest", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "second", "LABEL": "String 2", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "third", "LABEL": "String 3", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "fourth", "LABEL": "String 4", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "fifth", "LABEL": "String 5", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sixth", "LABEL": "String 6", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "seventh", "LABEL": "String 7", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "eighth", "LABEL": "String 8, the highest", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "swing", "LABEL": "How far a string swings", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "loops", "LABEL": "Loops of the highest string", "TYPE": "float", "DEFAULT": 6, "MIN": 1, "MAX": 12},
    {"NAME": "angle", "LABEL": "Turns", "TYPE": "float", "DEFAULT": 0.0, "MIN": -1, "MAX": 1},
    {"NAME": "fan", "LABEL": "How the strings spread to one side", "TYPE": "float", "DEFAULT": 0.3, "MIN": -1, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Dust of light on the strings", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.012, 1]},
    {"NAME": "rest", "LABEL": "A string at rest", "TYPE": "color", "DEFAULT": [0.16, 0.2, 0.3, 1]},
    {"NAME": "low", "LABEL": "The lowest string", "TYPE": "color", "DEFAULT": [1.0, 0.2, 0.08, 1]},
    {"NAME": "high", "LABEL": "The highest string", "TYPE": "color", "DEFAULT": [0.1, 0.85, 0.8, 1]}
  ],
  "PASSES": [
    {"TARGET": "shapes", "WIDTH": "$WIDTH", "HEIGHT": "8", "FLOAT": true},
    {}
  ]
}*/

const float PI = 3.14159265;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float chance(ivec2 cell) {
    return float(word(uint(cell.x) + word(uint(cell.y)))) / 4294967295.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float spread(float along) {  // of the strings, like those of a harp
    return 1.0 + 1.4 * fan * (along - 0.5);
}

// A string at a point along it, 0..1, in distances between strings: its middle, how far it swings to both sides, where
// between them it is now, and how strongly it sounds.
vec4 swung(int string, float along) {
    float plucked[8] = float[8](first, second, third, fourth, fifth, sixth, seventh, eighth);
    float pitch = float(string) / 7.0, waves = 1.0 + floor(pitch * (loops - 0.01)), strength = plucked[string];
    float beats = 0.8 + 0.2 * sway(TIME * (1.1 + 0.8 * pitch));
    float belly = 0.95 * swing * strength * beats * abs(sin(PI * along * waves)) * spread(along);
    float breath = 0.05 * sway(TIME * 0.11 + pitch * 1.4) * sway(0.5 * along);
    return vec4((float(string) - 3.5) * spread(along) + breath, belly, abs(sway(0.5 * TIME + 0.2 * pitch)), strength);
}

void main() {
    if (PASSINDEX == 0) {
        gl_FragColor = swung(int(isf_FragNormCoord.y * 8.0), isf_FragNormCoord.x);
        return;
    }
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), turn = 2.0 * PI * angle, pixel = 1.0 / unit;
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - 0.5) * shape;
    vec2 way = vec2(cos(turn), sin(turn));
    vec2 size = vec2(dot(abs(way), shape), dot(abs(way.yx), shape));  // of the frame, along the strings and across
    vec2 q = vec2(dot(p, way), dot(p, vec2(-way.y, way.x)));
    float along = q.x / size.x + 0.5, gap = 0.112 * size.y, cells = size.x * 60.0;
    int column = int(along * IMG_SIZE(shapes).x), lowest = int(floor(q.y / (gap * spread(along)) + 3.5)) - 1;
    float off = (fract(along * cells) - 0.5) * size.x / cells;
    vec3 colour = ground.rgb;
    for (int i = lowest; i < lowest + 4; i++) {  // no string swings further than to the next one
        int string = clamp(i, 0, 7);
        vec4 shape = texelFetch(shapes, ivec2(column, string), 0);
        float d = abs(q.y - gap * shape.x), belly = gap * shape.y, edge = abs(d - belly), strength = shape.w;
        float pitch = float(string) / 7.0, thick = mix(0.0075, 0.0025, pitch), there = string == i ? 1.0 : 0.0;
        vec3 tone = mix(low.rgb, high.rgb, pitch) + pitch * (1.0 - pitch) * vec3(0.9, 0.75, 0.1);
        // A string swings faster than the eye: what is seen is the space it swings through, bright where it turns round.
        float turns = d / max(belly, 1e-4), turns2 = turns * turns;
        float inside = there * step(d, belly), stirred = min(1.0, 1.6 * strength);
        float ghost = smoothstep(thick * 0.5 + pixel, thick * 0.5, abs(d - belly * shape.z));
        colour += tone * inside * ((0.08 + 0.7 * turns2 * turns2) * min(1.0, 0.2 + 1.3 * strength) + 0.4 * ghost * strength);
        float line = there * smoothstep(thick + pixel, thick - pixel, edge);
        float mote = chance(ivec2(int(along * cells), 64 * string + int(TIME * 12.0)));
        vec3 wire = mix(rest.rgb, tone * 1.4 + 0.35, stirred);
        colour = mix(colour, wire, line * (0.55 + 0.45 * stirred));
        colour += there * sparkle * step(0.95, mote) * smoothstep(0.008, 0.002, length(vec2(off, edge))) * (tone + 0.6);
    }
    gl_FragColor = vec4(colour, 1.0);
}
