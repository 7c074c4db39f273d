/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A crust of black rock over what glows: where the picture is bright, its plates part and melt.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Fire"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the crust", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "plates", "LABEL": "Plates along the short side", "TYPE": "float", "DEFAULT": 6, "MIN": 2, "MAX": 20},
    {"NAME": "heat", "LABEL": "Heat below", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "travel", "LABEL": "Way of the plates", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "drift", "LABEL": "Each plate moves by itself", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "The cracks open", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Some plates glow", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "seed", "LABEL": "Which plates glow", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "sparkle", "LABEL": "Embers", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "rock", "LABEL": "Rock", "TYPE": "color", "DEFAULT": [0.06, 0.045, 0.055, 1]},
    {"NAME": "ember", "LABEL": "Where it cools", "TYPE": "color", "DEFAULT": [0.6, 0.03, 0.01, 1]},
    {"NAME": "glow", "LABEL": "Where it flows", "TYPE": "color", "DEFAULT": [1.0, 0.36, 0.03, 1]},
    {"NAME": "white", "LABEL": "Where it is hottest", "TYPE": "color", "DEFAULT": [1.0, 0.86, 0.42, 1]}
  ],
  "PASSES": [
    {"TARGET": "warm", "WIDTH": "max(floor($WIDTH/8), 8)", "HEIGHT": "max(floor($HEIGHT/8), 8)", "FLOAT": true},
    {"TARGET": "soft", "WIDTH": "max(floor($WIDTH/8), 8)", "HEIGHT": "max(floor($HEIGHT/8), 8)", "FLOAT": true},
    {"TARGET": "points", "WIDTH": "32", "HEIGHT": "32", "FLOAT": true},
    {}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

vec3 chance(ivec2 cell) {
    uint a = word(uint(cell.x) + word(uint(cell.y))), b = word(a), c = word(b);
    return vec3(a, b, c) / 4294967295.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float grit(vec2 p) {  // value noise
    vec2 i = floor(p), f = p - i;
    f *= f * (3.0 - 2.0 * f);
    ivec2 cell = ivec2(i) + 4000;
    vec4 h = vec4(chance(cell).x, chance(cell + ivec2(1, 0)).x, chance(cell + ivec2(0, 1)).x, chance(cell + 1).x);
    return mix(mix(h.x, h.y, f.x), mix(h.z, h.w, f.x), f.y);
}

ivec2 wrapped(ivec2 cell) {
    return ivec2(cell.x & 31, cell.y & 31);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    if (PASSINDEX < 2) {  // the heat: the picture, small and soft
        vec2 d = 1.3 / RENDERSIZE;
        float sum = 0.0;
        for (int i = 0; i < 9; i++) {
            vec2 at = uv + d * vec2(i % 3 - 1, i / 3 - 1);
            sum += PASSINDEX == 0 ? dot(IMG_NORM_PIXEL(inputImage, at).rgb, vec3(0.4, 0.4, 0.2)) : IMG_NORM_PIXEL(warm, at).r;
        }
        gl_FragColor = vec4(sum / 9.0, 0.0, 0.0, 1.0);
        return;
    }
    if (PASSINDEX == 2) {  // the middle of each plate in its cell, how it lies, and whether it glows
        ivec2 cell = ivec2(gl_FragCoord.xy);
        vec3 luck = chance(cell), fate = chance(cell + ivec2(100, int(seed)));
        vec2 own = 0.5 + 0.42 * (2.0 * luck.xy - 1.0) + 0.08 * drift * vec2(sway(0.05 * TIME + luck.z), sway(0.04 * TIME + luck.x));
        gl_FragColor = vec4(own, luck.z, step(0.72, fate.x));
        return;
    }
    vec2 shape = RENDERSIZE / unit, p = (uv - 0.5) * shape * plates;
    vec2 bent = vec2(grit(p * 1.7 + 3.0), grit(p * 1.7 + 53.0)) - 0.5, fine = vec2(grit(p * 6.0), grit(p * 6.0 + 31.0)) - 0.5;
    vec2 q = p + vec2(travel, 0.4 * travel) * plates + 0.45 * bent + 0.12 * fine;
    // The nearest plate, then the distance to its border.
    ivec2 base = ivec2(floor(q)), best = ivec2(0);
    vec2 f = q - floor(q), to = vec2(0.0);
    vec4 plate = vec4(0.0);
    float least = 9.0, border = 9.0;
    for (int j = -1; j <= 1; j++) for (int i = -1; i <= 1; i++) {
        vec4 one = texelFetch(points, wrapped(base + ivec2(i, j)), 0);
        vec2 r = vec2(i, j) + one.xy - f;
        float d = dot(r, r);
        if (d < least) { least = d; best = ivec2(i, j); to = r; plate = one; }
    }
    for (int j = -1; j <= 1; j++) for (int i = -1; i <= 1; i++) {
        ivec2 at = best + ivec2(i, j);
        vec2 r = vec2(at) + texelFetch(points, wrapped(base + at), 0).xy - f, side = r - to;
        if (dot(side, side) > 1e-4) border = min(border, dot(0.5 * (to + r), normalize(side)));
    }
    float warmth = clamp(1.5 * IMG_NORM_PIXEL(soft, uv).r, 0.0, 1.2), under = warmth * (0.35 + 1.1 * heat);
    float width = 0.2 * (1.0 - exp(-(0.04 + 0.65 * under * under) * (1.0 + 1.5 * hit))), pixel = plates / unit;
    float open = clamp((width - border) / (1.5 * pixel) + 0.5, 0.0, 1.0), deep = clamp(1.0 - border / width, 0.0, 1.0);
    float hot = (under * (0.5 + 0.5 * hit) + 0.5 * deep * min(under, 1.0)) * (1.0 + 0.9 * bent.y) + 0.12;
    vec3 melt = mix(ember.rgb, glow.rgb, clamp(1.8 * hot, 0.0, 1.0));
    melt = mix(melt, white.rgb, clamp(1.1 * hot - 0.75, 0.0, 1.0));
    melt *= 0.25 + 0.75 * clamp(2.5 * hot, 0.0, 1.0);
    // Rock: rough, lit by the cracks around it; a plate over much heat is red at its rim.
    float rough = 0.55 + 1.1 * (0.6 * bent.x + fine.y), near = exp(-(border - width) * 6.0 / (0.25 + under + 0.6 * hit));
    vec3 stone = rock.rgb * max(0.3 + 1.6 * (rough - 0.35), 0.1) * (0.45 + 0.9 * plate.z) + ember.rgb * near * near * (0.15 + 0.8 * under) * (0.6 + 0.8 * rough) * (0.6 + 0.9 * hit);
    stone += glow.rgb * near * near * near * near * under * 0.6 * (0.7 + hit);
    float lit = plate.w * snap * (0.35 + 0.65 * rough);
    stone += mix(ember.rgb, glow.rgb, 0.6 * snap) * lit * 1.3;
    vec3 colour = mix(stone, melt, open);
    vec2 e = uv * shape * 15.0 - vec2(0.5 * sway(0.1 * TIME), 1.8 * TIME);
    vec3 luck = chance(ivec2(floor(e)) + 900);
    colour += sparkle * white.rgb * step(0.72, luck.z) * min(3.0 * warmth, 1.0) * smoothstep(0.13 * luck.x + 0.05, 0.02, length(fract(e) - 0.2 - 0.6 * luck.xy));
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
