// Light on thin, translucent matter: a key light with soft shadows, one direction of the sky per pass
// (their sum is the ambient light with its occlusion), and a light from behind.
in vec3 at;      // the point, in the world
in vec3 facing;  // its normal: away from the flower's axis
in vec3 painted;
in vec3 tinted;
in vec3 at_key, at_sky, at_rim;  // where to look into the lights' maps
out vec4 light;
uniform vec3 eye;
uniform vec3 key_from, key_light;
uniform vec3 sky_from, sky_light;
uniform vec3 rim_from, rim_light;
uniform sampler2DShadow key_map, sky_map, rim_map;
uniform float gloss, exposure;

// How much of a light that does not move from pass to pass: from four places beside each other.
float softly(sampler2DShadow map, vec3 p) {
    vec3 far = vec3(1.7, 0.7, -0.7) / vec3(textureSize(map, 0), 1.0).xyx;
    return 0.25 * (texture(map, p + vec3(far.xy, 0)) + texture(map, p - vec3(far.xy, 0))
        + texture(map, p + vec3(far.zx, 0)) + texture(map, p - vec3(far.zx, 0)));
}

// What a film keeps of light: less and less of more, and less of its colour.
vec3 curve(vec3 x) {
    x = mix(x, vec3(dot(x, vec3(0.21, 0.72, 0.07))), 0.045);
    float brightest = max(x.r, max(x.g, x.b));
    vec3 whole = x * ((1.0 - exp(-brightest)) / max(brightest, 1e-5));
    return mix(1.0 - exp(-x), whole, 0.4);
}

// What is summed over the passes is the square root of light: the edges of bright things on dark ground would
// look jagged otherwise. `through` is the colour that light has after another petal, `thin` how much passes this one.
vec3 lit(vec3 albedo, vec3 n, vec3 through, vec3 thin) {
    vec3 to_eye = normalize(eye - at);
    float key = dot(n, key_from), sky = dot(n, sky_from), rim = dot(n, rim_from);
    vec3 key_seen = mix(through, vec3(1), texture(key_map, at_key));
    vec3 sky_seen = mix(through * 0.4, vec3(1), texture(sky_map, at_sky));
    vec3 rim_seen = mix(through * 0.4, vec3(1), softly(rim_map, at_rim));
    float wrapped = max((key + 0.1) / 1.1, 0.0);
    vec3 sum = key_light * key_seen * (albedo * wrapped + thin * max(0.12 - key, 0.0) * 0.9);
    sum += sky_light * sky_seen * (albedo * max(sky, 0.0) + thin * max(-sky, 0.0));
    sum += rim_light * rim_seen * (albedo * max(rim, 0.0) + thin * max(-rim, 0.0));
    vec3 halfway = normalize(key_from + to_eye);
    float grazing = 1.0 - max(dot(n, to_eye), 0.0);
    float sheen = 0.9 * pow(max(dot(n, halfway), 0.0), 14.0) * max(key, 0.0);
    sum += gloss * key_light * key_seen * sheen * (0.1 + 0.4 * albedo);
    float edge = grazing * grazing * grazing;
    sum += edge * (0.03 + 0.3 * albedo) * (rim_light * rim_seen * max(rim + 0.4, 0.0) + 0.6 * sky_light * sky_seen);
    return sqrt(curve(exposure * sum));
}
