# Delta's jars and the drivers of databases, resolved once with the Ivy that Spark brings, and laid beside Spark's own: no session resolves them again.

complete_spark() {
  local jars spark
  spark=$(echo "$PART"/lib/python3*/site-packages/pyspark)
  fetch_jars spark-jars "$spark/jars"
  cp "$jars"/*.jar "$spark/jars/"
  mkdir -p "$spark/conf"
  ln -s ../../../../../../conf/log4j2.properties "$spark/conf/"
}

# The jars of environment/NAME.xml, as environment/NAME.sha256 knows them. Sets `jars`: the folder where they are kept.
fetch_jars() {
  local name=$1 spark_jars=$2
  jars=$CACHE/$name-$(cat "environment/$name.xml" "environment/$name.sha256" | sha256sum | cut -c1-12)
  [[ ! -d $jars ]] || return 0
  say "fetching the jars of environment/$name.xml"
  "${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$spark_jars/*" org.apache.ivy.Main -error -cache "$WORK/ivy" \
    -ivy "environment/$name.xml" -confs default -retrieve "$WORK/$name/[artifact]-[revision].[ext]" >"$WORK/ivy.log" 2>&1 ||
    fail "the jars of environment/$name.xml could not be fetched: $(grep -m 3 -v '^\.*$' "$WORK/ivy.log" | tr '\n' ' ')"
  (cd "$WORK/$name" && sha256sum --quiet --strict --check -) <"environment/$name.sha256" ||
    fail "the jars fetched are not those of environment/$name.sha256"
  mv -T "$WORK/$name" "$jars" 2>/dev/null || [[ -d $jars ]]
}
