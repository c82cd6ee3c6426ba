mkdir -p app/empty app/private/inside
chmod 0700 app/private
chmod 0711 app/nested/deep
