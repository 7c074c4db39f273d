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

float seen(sampler2DShadow map, mat4 view, vec3 from) {
    vec3 p = (view * vec4(from, 1.0)).xyz * 0.5 + 0.5;
    return texture(map, vec3(p.xy, p.z - 0.006));
}

// A point off the surface towards a light, further where light grazes it: nothing shadows itself.
vec3 off(vec3 n, float cosine) {
    return at + n * sign(cosine) * (0.014 + 0.03 * (1.0 - abs(cosine)));
}

// `through` is the colour that light has after another petal, `thin` how much passes this one.
vec3 lit(vec3 albedo, vec3 n, vec3 through, vec3 thin) {
    vec3 to_eye = normalize(eye - at);
    float key = dot(n, key_from), sky = dot(n, sky_from), rim = dot(n, rim_from);
    vec3 key_seen = mix(through, vec3(1), seen(key_map, key_view, off(n, key)));
    vec3 sky_seen = mix(through * 0.4, vec3(1), seen(sky_map, sky_view, off(n, sky)));
    vec3 rim_seen = mix(through * 0.4, vec3(1), seen(rim_map, rim_view, off(n, rim)));
    float wrapped = max((key + 0.1) / 1.1, 0.0);
    vec3 sum = key_light * key_seen * (albedo * wrapped + thin * max(0.12 - key, 0.0) * 0.9);
    sum += sky_light * sky_seen * (albedo * max(sky, 0.0) + thin * max(-sky, 0.0));
    sum += rim_light * rim_seen * (albedo * max(rim, 0.0) + thin * max(-rim, 0.0));
    vec3 halfway = normalize(key_from + to_eye);
    float grazing = 1.0 - max(dot(n, to_eye), 0.0);
    float sheen = 0.9 * pow(max(dot(n, halfway), 0.0), 14.0) * max(key, 0.0);
    sum += gloss * key_light * key_seen * sheen * (0.1 + 0.4 * albedo);
    float edge = grazing * grazing * grazing;
    sum += edge * (0.1 + 0.5 * albedo) * (rim_light * rim_seen * max(rim + 0.4, 0.0) + 0.6 * sky_light * sky_seen);
    return sum;
}
