/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A moon engraved in one line: a spiral that swells where there is light. After Claude Mellan's Sudarium, 1649.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Line"],
  "INPUTS": [
    {"NAME": "centre", "LABEL": "Place of the moon", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [-0.5, -0.5], "MAX": [1.5, 1.5]},
    {"NAME": "size", "LABEL": "Radius, in short sides", "TYPE": "float", "DEFAULT": 0.36, "MIN": 0.02, "MAX": 1},
    {"NAME": "lines", "LABEL": "Turns of the line from the middle to the rim", "TYPE": "float", "DEFAULT": 24, "MIN": 4, "MAX": 60},
    {"NAME": "phase", "LABEL": "Phase: 0 new, 0.5 full", "TYPE": "float", "DEFAULT": 0.36, "MIN": 0, "MAX": 1000, "WRAP": true},
    {"NAME": "turn", "LABEL": "Turn of the line", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "speed", "LABEL": "Slow turn of the line", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 3},
    {"NAME": "reach", "LABEL": "How far the line goes on in the sky", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "A wave along the line, outwards as it decays", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "The dark side lights up", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sky", "LABEL": "Sky", "TYPE": "color", "DEFAULT": [0.0, 0.003, 0.014, 1]},
    {"NAME": "light", "LABEL": "Line on the moon", "TYPE": "color", "DEFAULT": [1.0, 0.94, 0.8, 1]},
    {"NAME": "halo", "LABEL": "Line in the sky", "TYPE": "color", "DEFAULT": [0.2, 0.36, 0.62, 1]}
  ]
}*/

const float TURN = 6.2831853;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float cloud(vec2 at) {  // smooth noise, 0..1
    vec2 cell = floor(at), f = at - cell;
    f *= f * (3.0 - 2.0 * f);
    vec4 corner;
    for (int k = 0; k < 4; k++) {
        uvec2 n = uvec2(ivec2(cell) + ivec2(k & 1, k >> 1) + 4096);
        corner[k] = float(word(n.x + 8192u * n.y) & 1023u) / 1023.0;
    }
    return mix(mix(corner.x, corner.y, f.x), mix(corner.z, corner.w, f.x), f.y);
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (isf_FragNormCoord - centre) * RENDERSIZE / unit / size;
    float r = length(p), far = max(r - 1.0, 0.0), pixel = lines / (size * unit);

    // How light it is here: the sun goes round the sphere, its seas are darker; the sky fades from the rim.
    float z = sqrt(max(1.0 - r * r, 0.0)), angle = TURN * phase;
    float sun = p.x * sin(angle) - z * cos(angle);
    float seas = cloud(p * 2.1 + 7.0) * 0.6 + cloud(p * 5.3) * 0.4;
    float day = smoothstep(-0.08, 0.9, sun) * (0.3 + 0.5 * z) * (0.4 + 0.75 * smoothstep(0.32, 0.6, seas)) + 0.12 * smoothstep(-0.05, 0.1, sun);
    float night = (0.055 + 0.5 * snap * (1.0 - z * 0.7)) * smoothstep(0.2, -0.2, sun);
    float inside = clamp((1.0 - r) * lines / pixel + 0.5, 0.0, 1.0);
    float dusk = 0.3 * reach * exp(-far / (0.08 + 0.5 * reach));
    float front = 2.2 * (1.0 - hit), wave = hit * exp(-24.0 * (r - front) * (r - front));
    float thick = mix(dusk, day + night, inside) + wave * mix(0.35 * exp(-far), 0.3, inside);

    // The line: one spiral, as wide as it is light.
    float along = r * lines - atan(p.y, p.x) / TURN - turn - 0.02 * speed * TIME;
    float width = clamp(thick, 0.0, 0.86), away = abs(fract(along) - 0.5);
    float line = min(clamp((0.5 * width - away) / pixel + 0.5, 0.0, 1.0), width / pixel);
    line *= smoothstep(0.0, 0.02, width);
    vec3 ink = mix(mix(halo.rgb, light.rgb, 0.6 * wave), light.rgb, inside * smoothstep(-0.1, 0.2, sun) + inside * 0.25);
    gl_FragColor = vec4(mix(sky.rgb, ink, clamp(line, 0.0, 1.0)), 1.0);
}
