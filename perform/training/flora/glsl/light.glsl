// Light on thin, translucent matter: a key light with soft shadows, one direction of the sky per pass
// (their sum is the ambient light with its occlusion), and a light from behind.
in vec3 at;      // the point, in the world
in vec3 facing;  // its normal: away from the flower's axis
in vec4 painted;
in vec3 tinted;
out vec4 light;
uniform vec3 eye;
uniform vec3 key_from, key_light;
uniform vec3 sky_from, sky_light;
uniform vec3 rim_from, rim_light;
uniform mat4 key_view, sky_view, rim_view;
uniform sampler2DShadow key_map, sky_map, rim_map;
uniform float gloss;

float seen(sampler2DShadow map, mat4 view, vec3 at, float bias) {
    vec3 p = (view * vec4(at, 1.0)).xyz * 0.5 + 0.5;
    return texture(map, vec3(p.xy, p.z - bias));
}

float seen_softly(sampler2DShadow map, mat4 view, vec3 at, float bias) {
    vec3 p = (view * vec4(at, 1.0)).xyz * 0.5 + 0.5;
    p.z -= bias;
    vec2 far = vec2(1.4, 0.6) / 256.0;
    return 0.25 * (texture(map, p + vec3(far, 0)) + texture(map, p - vec3(far, 0))
        + texture(map, p + vec3(-far.y, far.x, 0)) + texture(map, p + vec3(far.y, -far.x, 0)));
}

// `through` is the colour that light has after another petal, `thin` how much passes this one.
vec3 lit(vec3 albedo, vec3 n, vec3 through, vec3 thin) {
    vec3 to_eye = normalize(eye - at);
    float key = dot(n, key_from), sky = dot(n, sky_from), rim = dot(n, rim_from);
    vec3 key_seen = mix(through, vec3(1), seen_softly(key_map, key_view, at + 0.012 * n * sign(key), 0.006));
    vec3 sky_seen = mix(through * 0.5, vec3(1), seen(sky_map, sky_view, at + 0.02 * n * sign(sky), 0.012));
    vec3 rim_seen = mix(through * 0.3, vec3(1), seen_softly(rim_map, rim_view, at + 0.012 * n * sign(rim), 0.006));
    float wrapped = max((key + 0.18) / 1.18, 0.0);
    vec3 sum = key_light * key_seen * (albedo * wrapped + thin * max(0.15 - key, 0.0) * 0.87);
    sum += sky_light * sky_seen * (albedo * max(sky, 0.0) + thin * max(-sky, 0.0));
    sum += rim_light * rim_seen * (albedo * max(rim, 0.0) + thin * max(-rim, 0.0));
    vec3 halfway = normalize(key_from + to_eye);
    float grazing = 1.0 - max(dot(n, to_eye), 0.0);
    float sheen = 0.9 * pow(max(dot(n, halfway), 0.0), 14.0) * max(key, 0.0);
    sum += gloss * key_light * key_seen * sheen * (0.05 + 0.25 * albedo);
    float edge = grazing * grazing * grazing;
    sum += edge * (0.1 + 0.5 * albedo) * (rim_light * rim_seen * max(rim + 0.4, 0.0) + 0.6 * sky_light * sky_seen);
    return sum;
}
