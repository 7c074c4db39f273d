/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Two inks in dark water: the current draws them into threads; a hit adds a drop.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Fluid"],
  "INPUTS": [
    {"NAME": "flow", "LABEL": "Current", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "scale", "LABEL": "Eddies across the short side", "TYPE": "float", "DEFAULT": 2.6, "MIN": 0.5, "MAX": 6},
    {"NAME": "supply", "LABEL": "Ink that always flows in", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Drop of ink", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "push", "LABEL": "Stir", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "fade", "LABEL": "Seconds until half has disappeared", "TYPE": "float", "DEFAULT": 4, "MIN": 0.2, "MAX": 20},
    {"NAME": "water", "LABEL": "Water", "TYPE": "color", "DEFAULT": [0.0, 0.008, 0.02, 1]},
    {"NAME": "first", "LABEL": "First ink", "TYPE": "color", "DEFAULT": [0.04, 0.42, 0.85, 1]},
    {"NAME": "second", "LABEL": "Second ink", "TYPE": "color", "DEFAULT": [1.0, 0.28, 0.1, 1]},
    {"NAME": "light", "LABEL": "Light on the threads", "TYPE": "color", "DEFAULT": [1.0, 0.93, 0.8, 1]}
  ],
  "PASSES": [
    {"TARGET": "current", "WIDTH": "max(floor($WIDTH/10), 16)", "HEIGHT": "max(floor($HEIGHT/10), 16)", "FLOAT": true},
    {"TARGET": "inks", "WIDTH": "max(floor($WIDTH*0.6), 16)", "HEIGHT": "max(floor($HEIGHT*0.6), 16)", "FLOAT": true, "PERSISTENT": true},
    {}
  ]
}*/

const float BASIN = 1.2;  // the water goes on beyond the picture, so that ink which leaves it may return

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

// The slope that a corner of the noise gives: it turns with time, each at its own speed.
float corner(ivec2 cell, vec2 from, float time) {
    uint dice = word(uint(cell.x) + word(uint(cell.y)));
    vec2 luck = vec2(dice & 65535u, dice >> 16u) / 65535.0;
    float turned = 6.2831853 * (luck.x + time * (luck.y < 0.5 ? luck.y - 1.0 : luck.y));
    return dot(vec2(cos(turned), sin(turned)), from);
}

// Noise of slopes that turn (Perlin and Neyret 2001): eddies that change without sliding, and no squares.
float noise(vec2 p, float time) {
    ivec2 i = ivec2(floor(p));
    vec2 f = fract(p), g = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    vec2 low = vec2(corner(i, f, time), corner(i + ivec2(1, 0), f - vec2(1, 0), time));
    vec2 high = vec2(corner(i + ivec2(0, 1), f - vec2(0, 1), time), corner(i + ivec2(1, 1), f - vec2(1, 1), time));
    vec2 v = mix(low, high, g.y);
    return mix(v.x, v.y, g.x);
}

float potential(vec2 p) {  // the two noises are turned against each other and the frame
    vec2 q = 0.75 * vec2(0.8 * p.x - 0.6 * p.y, 0.6 * p.x + 0.8 * p.y) + 31.0, r = 1.6 * vec2(0.92 * p.x + 0.39 * p.y, 0.92 * p.y - 0.39 * p.x);
    return 1.5 * noise(q, TIME * 0.06) + 0.35 * noise(r + 57.0, TIME * 0.1);
}

// The curl of a potential has no sources: ink is carried, never made (Bridson et al. 2007).
vec2 curl(vec2 p) {
    float e = 0.08, here = potential(p);
    return vec2(potential(p + vec2(0, e)) - here, here - potential(p + vec2(e, 0))) / e;
}

vec2 shape() {  // the picture in units of its short side
    return RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
}

float drop(vec2 p, float phase, float radius) {
    vec2 centre = 0.36 * shape() * vec2(sin(TIME * 0.31 + phase), sin(TIME * 0.23 + phase * 1.7 + 1.0));
    vec2 d = p - centre;
    return exp(-dot(d, d) / (radius * radius));
}

vec2 cloud(vec2 p) {  // the ink that is in the water from the start
    vec2 sum = vec2(0.0);
    for (float n = 0.0; n < 3.0; n++) sum += vec2(drop(p, 1.0 + 1.9 * n, 0.1), drop(p, 4.1 + 2.3 * n, 0.08));
    return 0.8 * sum;
}

// The ink at a place of the basin, by Catmull and Rom's spline: linear filtering, step after step, would blur it. Five
// readings between the texels do for sixteen; the corners weigh next to nothing.
vec2 inkAt(vec2 uv) {
    vec2 size = IMG_SIZE(inks), at = uv * size, middle = floor(at - 0.5) + 0.5, f = at - middle;
    vec2 w0 = f * (f * (1.0 - 0.5 * f) - 0.5), w1 = 1.0 + f * f * (1.5 * f - 2.5), w3 = f * f * (0.5 * f - 0.5), w2 = 1.0 - w0 - w1 - w3;
    vec2 w12 = w1 + w2, a = (middle - 1.0) / size, b = (middle + w2 / w12) / size, c = (middle + 2.0) / size;
    vec2 sum = IMG_NORM_PIXEL(inks, b).xy * w12.x * w12.y;
    sum += IMG_NORM_PIXEL(inks, vec2(b.x, a.y)).xy * w12.x * w0.y + IMG_NORM_PIXEL(inks, vec2(b.x, c.y)).xy * w12.x * w3.y;
    sum += IMG_NORM_PIXEL(inks, vec2(a.x, b.y)).xy * w0.x * w12.y + IMG_NORM_PIXEL(inks, vec2(c.x, b.y)).xy * w3.x * w12.y;
    float all = w12.x * w12.y + w12.x * (w0.y + w3.y) + w12.y * (w0.x + w3.x);
    return max(sum / all, 0.0);
}

void main() {
    vec2 uv = isf_FragNormCoord, p = (uv - 0.5) * shape() * BASIN;
    if (PASSINDEX == 0) {
        vec2 v = curl(p * scale) * (0.5 * flow + 0.8 * push) / scale;
        gl_FragColor = vec4(v, 0.0, 1.0);
    } else if (PASSINDEX == 1) {
        float dt = min(TIMEDELTA, 0.1);
        vec2 from = uv - IMG_NORM_PIXEL(current, uv).xy * dt / shape() / BASIN;
        // At the rim of the basin, out of sight, the ink sinks: clear water comes in.
        vec2 rim = smoothstep(0.5 / BASIN + 0.02, 0.5, abs(uv - 0.5));
        vec2 ink = FRAMEINDEX == 0 ? cloud(p) : inkAt(from) * exp2(-dt * (1.0 / fade + 12.0 * max(rim.x, rim.y)));
        // Each ink has a well that always flows and one that a hit opens; full water takes no more.
        float rate = 2.5 * supply * dt, burst = 16.0 * hit * dt;
        vec2 more = rate * vec2(drop(p, 0.0, 0.045), drop(p, 3.3, 0.035));
        more += burst * vec2(drop(p, 2.1, 0.06), drop(p, 5.2, 0.045));
        gl_FragColor = vec4(ink + more / (1.0 + ink * ink), 0.0, 1.0);
    } else {
        vec2 reach = 1.5 / IMG_SIZE(inks);
        uv = 0.5 + (uv - 0.5) / BASIN;
        vec2 ink = IMG_NORM_PIXEL(inks, uv).xy;
        vec2 right = IMG_NORM_PIXEL(inks, uv + vec2(reach.x, 0.0)).xy;
        vec2 up = IMG_NORM_PIXEL(inks, uv + vec2(0.0, reach.y)).xy;
        vec2 amount = ink / (0.25 + ink);
        vec3 colour = mix(water.rgb, first.rgb * (0.2 + 0.8 * amount.x), amount.x);
        colour = mix(colour, second.rgb * (0.2 + 0.85 * amount.y), amount.y);
        // The slope of the ink is its surface: light from above and the left finds the threads.
        vec2 slope = vec2(dot(right - ink, vec2(1.0)), dot(up - ink, vec2(1.0))) * 10.0;
        float lit = dot(slope, vec2(-0.6, 0.8));
        lit = lit / (0.6 + abs(lit));
        colour += lit * (lit > 0.0 ? light.rgb * 0.5 * max(amount.x, amount.y) : colour * 0.8);
        gl_FragColor = vec4(colour, 1.0);
    }
}
